/*
 * A line of `crier announce -`, any bytes. What is understood is within its bounds, and attributes of it can be
 * stored; what is not has a message with the reason.
 */
#include <assert.h>
#include <string.h>

#include "app/route_line.h"
#include "fuzz.h"

static void check_good(const struct route_line *l)
{
	if (l->verb == ROUTE_SYNC)
		return;
	assert(l->verb == ROUTE_ANNOUNCE || l->verb == ROUTE_WITHDRAW);
	assert(l->prefix.len <= addr_bits(&l->prefix.addr));
	assert(l->attrs.n_as_path <= ROUTE_VALUES_MAX && l->n_peers <= ROUTE_PEERS_MAX);
	for (size_t i = 0; i < l->n_peers; i++)
		assert(l->peers[i] >= l->text &&
		       l->peers[i] + strlen(l->peers[i]) <= l->text + ROUTE_LINE_MAX);
	struct bgp_attr_table *table = bgp_attr_table_new();
	struct bgp_attr *attr = NULL;

	if (bgp_attr_intern(table, &l->attrs, &attr, NULL) == 0)
		bgp_attr_unref(attr);
	bgp_attr_table_free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct route_line *l = mem_new(struct route_line);
	struct err e = { 0 };
	int status = route_line_parse((const char *)data, size, l, &e);

	if (status < 0)
		assert(l->verb == ROUTE_NOTHING && e.text[0]);
	else if (l->verb != ROUTE_NOTHING)
		check_good(l);
	free(l);
	return 0;
}

FUZZ_MAIN;
