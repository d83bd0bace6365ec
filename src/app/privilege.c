#include "app/privilege.h"

#include <cap-ng.h>
#include <stdio.h>
#include <string.h>

#include "app/priority.h"
#include "base/buf.h"

static const struct {
	unsigned cap;
	const char *name;
	const char *why;
} needed[] = {
	{ CAP_NET_RAW, "CAP_NET_RAW", "to answer ARP and NDP" },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", "to put service addresses on links" },
	{ CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "to use ports below 1024" },
};

static int privilege_check(struct err *e)
{
	struct buf missing = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!capng_have_capability(CAPNG_EFFECTIVE, needed[i].cap))
			buf_printf(&missing, "%s%s (%s)", missing.len ? ", " : "", needed[i].name,
				   needed[i].why);
	int status = 0;
	if (missing.len)
		status = err_set(
			e, ERR_SYSTEM,
			"missing: %s; run as root, by the systemd unit, or after: setcap "
			"cap_net_raw,cap_net_admin,cap_net_bind_service+ep $(command -v crier)",
			buf_text(&missing));
	buf_fini(&missing);
	return status;
}

int privilege_drop(struct err *e)
{
	capng_get_caps_process();
	if (privilege_check(e) < 0)
		return -ERR_SYSTEM;
	/* The packet thread's priority; given up where a limit does as well. */
	bool nice = !priority_permit() && capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_NICE);
	/* Programs of ours in the kernel, whose verifier allows little without the second; else classic filters do. */
	bool bpf = capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) &&
		   capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON);

	capng_clear(CAPNG_SELECT_BOTH);
	if (nice)
		(void)capng_update(CAPNG_ADD,
				   CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				   CAP_SYS_NICE);
	if (bpf)
		(void)capng_updatev(CAPNG_ADD,
				    CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, CAP_BPF,
				    CAP_PERFMON, -1);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				 needed[i].cap))
			return err_set(e, ERR_SYSTEM, "cannot keep %s", needed[i].name);
	/* The bounding set can only shrink with CAP_SETPCAP; without it nobody can hand us more anyway. */
	if (capng_apply(CAPNG_SELECT_BOTH) && capng_apply(CAPNG_SELECT_CAPS))
		return err_errno(e, "cannot give up privileges");
	return 0;
}
