# Debian packages: which are needed for what, which are missing, and installing them without starting anything.
# Sourced by tools/quickstart and tools/test.

PACKAGES_BUILD=(gcc libc6-dev cmake ninja-build pkg-config
	libev-dev libpcap-dev libnl-3-dev libnl-route-3-dev libyaml-dev libjansson-dev libssl-dev zlib1g-dev
	libcurl4-openssl-dev libmicrohttpd-dev libcap-ng-dev)
PACKAGES_DEMO=(python3 procps iproute2 iputils-ping curl frr)
PACKAGES_TEST=(libcmocka-dev libbpf-dev clang clang-format clang-tidy libclang-rt-14-dev llvm valgrind git
	python3-pytest python3-pytest-timeout python3-jsonschema python3-yaml python3-kubernetes python3-pytest-xdist nftables iputils-arping arp-scan busybox ndisc6 tshark
	bird2 gobgpd openbgpd exabgp nghttp2-proxy golang-go golang-github-hashicorp-memberlist-dev qemu-system-x86)
# Any kubectl will do; Debian's would collide with one that came from elsewhere.
command -v kubectl >/dev/null || PACKAGES_TEST+=(kubernetes-client)

# Daemons among them (package:unit): never started, and not at the next boot either.
PACKAGES_SERVICES=(frr:frr bird2:bird gobgpd:gobgpd openbgpd:openbgpd openbgpd:bgplgd exabgp:exabgp nghttp2-proxy:nghttpx)

packages_missing() {
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null)" = "ii " ] || echo "$p"
	done
}

# packages_install NAME…: with a policy that refuses every start while it works.
packages_install() {
	local policy=/usr/sbin/policy-rc.d made="" service
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
		made=$policy
	fi
	# shellcheck disable=SC2064
	trap "${made:+rm -f $made}" EXIT
	local status=0
	{ apt-get update -qq &&
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
			>"${PACKAGES_LOG:-/dev/null}" 2>&1; } || status=$?
	[ -z "$made" ] || rm -f "$made"
	trap - EXIT
	for service in "${PACKAGES_SERVICES[@]}"; do
		if printf '%s\n' "$@" | grep -qx -e "${service%:*}"; then
			systemctl disable "${service#*:}" >/dev/null 2>&1 || true
		fi
	done
	return $status
}
