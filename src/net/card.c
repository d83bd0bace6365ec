#include "net/card.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static const char *const virtual_drivers[] = { "virtio_net", "vmxnet3", "hv_netvsc", "vif", "ena" };

static bool is_wireless(const char *sysfs, const char *name)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/class/net/%s/phy80211", sysfs, name);

	return access(path, F_OK) == 0;
}

/** The last part of the link's target, or "". */
static void driver_of(const char *sysfs, const char *name, char out[static PATH_MAX])
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/class/net/%s/device/driver", sysfs, name);
	ssize_t n = readlink(path, out, PATH_MAX - 1);

	out[MAX(n, 0)] = '\0';
	const char *slash = strrchr(out, '/');
	if (slash)
		memmove(out, slash + 1, strlen(slash));
}

bool card_loses_multicast(const char *sysfs, const char *name)
{
	char driver[PATH_MAX];

	if (is_wireless(sysfs, name))
		return true;
	driver_of(sysfs, name, driver);
	for (size_t i = 0; i < ARRAY_LEN(virtual_drivers); i++) {
		if (strcmp(driver, virtual_drivers[i]) == 0)
			return true;
	}
	return false;
}
