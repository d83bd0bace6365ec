#include "support.h"

#include <stdio.h>
#include <string.h>

#include "net/pcap.h"

static void arp_frame(uint8_t frame[static 60])
{
	static const uint8_t head[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
					0,    0,    0,	  0,	1,    0x08, 0x06 };

	memset(frame, 0, 60);
	memcpy(frame, head, sizeof(head));
}

static void passes_what_the_text_says(void **state)
{
	struct pcap_prog p;
	uint8_t frame[60];

	(void)state;
	arp_frame(frame);
	assert_int_equal(pcap_prog_compile("arp", &p, NULL), 0);
	assert_true(pcap_prog_passes(&p, frame, sizeof(frame)));
	frame[13] = 0x00;
	assert_false(pcap_prog_passes(&p, frame, sizeof(frame)));
	assert_false(pcap_prog_passes(&p, frame, 0));
	pcap_prog_fini(&p);
}

static void refuses_bad_text(void **state)
{
	struct pcap_prog p = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pcap_prog_compile("arp and and", &p, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.text, "packet filter"));
	assert_null(p.insns);
}

static void refuses_long_programs(void **state)
{
	struct pcap_prog p = { 0 };
	size_t cap = 200000;
	char *text = mem_new_n(char, cap);
	size_t len = 0;

	(void)state;
	/* Nothing for the optimiser to shorten: each term looks at bytes of its own. */
	for (unsigned i = 0; i < 2500; i++)
		len += (size_t)snprintf(text + len, cap - len, "%sether[%u:2] = %u",
					i ? " or " : "", i % 1400, i + 1);
	assert_int_equal(pcap_prog_compile(text, &p, NULL), -ERR_LIMIT);
	assert_null(p.insns);
	free(text);
}

static void copies_are_equal_and_own(void **state)
{
	struct pcap_prog a;
	struct pcap_prog b;
	struct pcap_prog none = { 0 };
	uint8_t frame[60];

	(void)state;
	arp_frame(frame);
	assert_int_equal(pcap_prog_compile("arp", &a, NULL), 0);
	pcap_prog_copy(&a, &b);
	assert_true(pcap_prog_eq(&a, &b));
	assert_false(pcap_prog_eq(&a, &none));
	pcap_prog_fini(&a);
	assert_true(pcap_prog_passes(&b, frame, sizeof(frame)));
	pcap_prog_fini(&b);
	pcap_prog_copy(&none, &b);
	assert_false(pcap_prog_passes(&b, frame, sizeof(frame)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_what_the_text_says),
		cmocka_unit_test(refuses_bad_text),
		cmocka_unit_test(refuses_long_programs),
		cmocka_unit_test(copies_are_equal_and_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
