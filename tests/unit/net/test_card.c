/* Cards as a sysfs that is made up shows them. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/card.h"

static void cards(void **state)
{
	char root[] = "/tmp/crier-card-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(root));
	CLEANUP(mem_freep)
	char *make = mem_printf(
		"cd %s && mkdir -p class/net/wlan0/phy80211 class/net/ens3/device "
		"class/net/eth0/device class/net/br0 && "
		"ln -s ../../../../bus/virtio/drivers/virtio_net class/net/ens3/device/driver "
		"&& ln -s ../../../../bus/pci/drivers/igb class/net/eth0/device/driver",
		root);
	CLEANUP(mem_freep) char *clear = mem_printf("rm -r %s", root);
	assert_int_equal(system(make), 0);
	assert_true(card_loses_multicast(root, "wlan0"));
	assert_true(card_loses_multicast(root, "ens3"));
	assert_false(card_loses_multicast(root, "eth0"));
	assert_false(card_loses_multicast(root, "br0"));
	assert_false(card_loses_multicast(root, "gone"));
	assert_int_equal(system(clear), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cards) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
