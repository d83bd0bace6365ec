#include "config/value.h"

#include <inttypes.h>
#include <math.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/loader.h"

bool value_is(struct loader *l, const struct place *p, enum doc_kind wanted)
{
	if (p->at->kind == wanted)
		return true;
	load_error(l, p,
		   wanted == DOC_LIST ? "write it as [a, b], or as lines that start with '-'"
				      : NULL,
		   "%s is wanted here, not %s", doc_kind_name(wanted), doc_kind_name(p->at->kind));
	return false;
}

static bool is_scalar(struct loader *l, const struct place *p, const char *wanted)
{
	if (p->at->kind != DOC_LIST && p->at->kind != DOC_MAP)
		return true;
	load_error(l, p, NULL, "%s is wanted here, not %s", wanted, doc_kind_name(p->at->kind));
	return false;
}

static const char *doc_text(const struct doc *d)
{
	return d->kind != DOC_NULL && d->text ? d->text : "";
}

/* What documentation leaves for the reader to fill in. */
static bool is_placeholder(struct loader *l, const struct place *p)
{
	const char *text = doc_text(p->at);
	size_t len = strlen(text);

	if (p->at->kind != DOC_STRING || len < 3 || text[0] != '<' || text[len - 1] != '>')
		return false;
	load_error(l, p, "put your own value in its place, without the angle brackets",
		   "replace this placeholder: %.100s", text);
	return true;
}

bool value_bool(struct loader *l, const struct place *p, bool *out)
{
	if (p->at->kind == DOC_BOOL) {
		*out = p->at->boolean;
		return true;
	}
	if (is_scalar(l, p, "true or false") && !is_placeholder(l, p))
		load_error(l, p, "write true or false, without quotes",
			   "true or false is wanted here, not %s", doc_kind_name(p->at->kind));
	return false;
}

static const char *uint_hint(struct loader *l, const struct field *f)
{
	const char *unit = f->unit ? f->unit : "";

	return issues_text(&l->issues, "%" PRIu64 " to %" PRIu64 "%s%s", f->min, f->max,
			   f->unit ? " " : "", unit);
}

/* "64512.9" is asdot to its author and 64512 to go-yaml; neither is what anybody wants in
 * silence. */
static const char *asdot_hint(struct loader *l, const char *text)
{
	unsigned high, low;
	char rest;

	if (sscanf(text, "%5u.%5u%c", &high, &low, &rest) != 2 || high > 65535 || low > 65535)
		return "an AS number is a whole number";
	return issues_text(&l->issues, "if this is asdot notation, write %" PRIu64,
			   (uint64_t)high * 65536 + low);
}

static bool uint_of_float(struct loader *l, const struct place *p, const struct field *f,
			  uint64_t *out)
{
	double real = p->at->real;

	if (f->exact && (!isfinite(real) || strchr(p->at->text, '.'))) {
		load_error(l, p, asdot_hint(l, p->at->text), "%.40s is not a whole number",
			   p->at->text);
		return false;
	}
	if (!(real >= 0 && real < 18446744073709551616.0)) {
		load_error(l, p, uint_hint(l, f), "%.40s is out of range", p->at->text);
		return false;
	}
	*out = (uint64_t)real;
	if ((double)*out != real)
		load_warning(l, p, "write a whole number", "%.40s is cut to %" PRIu64, p->at->text,
			     *out);
	return true;
}

static bool uint_of_other(struct loader *l, const struct place *p, const struct field *f)
{
	if (!is_scalar(l, p, "a number") || is_placeholder(l, p))
		return false;
	const char *text = doc_text(p->at);
	bool digits = *text && strspn(text, "0123456789") == strlen(text);

	load_error(l, p, digits ? "leave the quotes away" : uint_hint(l, f),
		   "a number is wanted here, not %s", doc_kind_name(p->at->kind));
	return false;
}

bool value_uint(struct loader *l, const struct place *p, const struct field *f, uint64_t *out)
{
	uint64_t v = p->at->kind == DOC_INT ? p->at->integer : 0;
	bool negative = p->at->kind == DOC_INT && p->at->negative && v;

	if (p->at->kind == DOC_FLOAT ? !uint_of_float(l, p, f, &v)
	    : p->at->kind != DOC_INT ? !uint_of_other(l, p, f)
				     : false)
		return false;
	if (negative || v < f->min || v > f->max) {
		load_error(l, p, uint_hint(l, f), "%.40s is out of range", p->at->text);
		return false;
	}
	*out = v;
	return true;
}

bool value_peek(struct loader *l, const struct place *p, const char **out)
{
	if (!is_scalar(l, p, "text") || is_placeholder(l, p))
		return false;
	*out = doc_text(p->at);
	return true;
}

bool value_text(struct loader *l, const struct place *p, const char **out)
{
	if (!is_scalar(l, p, "text"))
		return false;
	*out = arena_strdup(l->arena, doc_text(p->at));
	return true;
}

bool value_duration(struct loader *l, const struct place *p, struct dur *out)
{
	const char *text;

	if (!value_peek(l, p, &text))
		return false;
	if (dur_parse(text, out) == 0)
		return true;
	bool bare = p->at->kind == DOC_INT || p->at->kind == DOC_FLOAT;
	load_error(l, p,
		   bare ? issues_text(&l->issues, "write its unit: %.20ss", text)
			: "durations look like 90s, 1m30s or 300ms",
		   "'%.60s' is not a duration", text);
	return false;
}

struct addr addr_unmapped(struct addr a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a.family != FAMILY_V6 || memcmp(a.b, mapped, sizeof(mapped)) != 0)
		return a;
	return addr_from_bytes(FAMILY_V4, a.b + sizeof(mapped));
}

bool value_address(struct loader *l, const struct place *p, struct addr *out)
{
	const char *text;
	struct addr a;

	if (!value_peek(l, p, &text))
		return false;
	if (addr_parse(text, &a) < 0) {
		load_error(l, p,
			   strchr(text, '/')
				   ? "leave the mask away"
				   : "an IPv4 or IPv6 address, such as 192.0.2.1 or 2001:db8::1",
			   "'%.60s' is not an IP address", text);
		return false;
	}
	*out = addr_unmapped(a);
	return true;
}

bool value_endpoint(struct loader *l, const struct place *p, struct cfg_endpoint *out)
{
	const char *text;
	struct cfg_endpoint ep = *out;

	if (!value_peek(l, p, &text))
		return false;
	if (addr_port_parse(text, &ep.addr, &ep.port) < 0) {
		load_error(l, p,
			   "an address, or address:port, such as 192.0.2.1:7946 or "
			   "[2001:db8::1]:7946; "
			   "names are not looked up",
			   "'%.100s' is not an address with a port", text);
		return false;
	}
	*out = ep;
	return true;
}

bool value_texts(struct loader *l, const struct place *p, struct cfg_texts *out)
{
	if (!value_is(l, p, DOC_LIST))
		return false;
	const char **v = arena_new_n(l->arena, const char *, p->at->n_items);
	size_t n = 0;

	for (size_t i = 0; i < p->at->n_items; i++) {
		struct place at = place_index(p, i, p->at->items[i]);

		if (!is_placeholder(l, &at) && value_text(l, &at, &v[n]))
			n++;
	}
	*out = (struct cfg_texts){ .v = v, .n = n };
	return n == p->at->n_items;
}

static int label_cmp(const void *x, const void *y)
{
	const struct label *a = x, *b = y;

	return strcmp(a->key, b->key);
}

static bool label_load(struct loader *l, const struct place *p, struct label *out)
{
	if (is_placeholder(l, p) || !value_text(l, p, &out->value))
		return false;
	out->key = arena_strdup(l->arena, p->key);
	if (!label_key_valid(out->key)) {
		load_error(l, p,
			   "letters, digits, '-', '_' and '.', at most 63; a prefix such as "
			   "example.org/ may stand in front",
			   "'%.100s' is not a label's name", out->key);
		return false;
	}
	if (!label_value_valid(out->value)) {
		load_error(l, p, "letters, digits, '-', '_' and '.', at most 63",
			   "'%.100s' is not a label's value", out->value);
		return false;
	}
	return true;
}

bool value_labels(struct loader *l, const struct place *p, struct labels *out)
{
	if (!value_is(l, p, DOC_MAP))
		return false;
	struct label *v = arena_new_n(l->arena, struct label, p->at->n_pairs);
	size_t n = 0;

	for (size_t i = 0; i < p->at->n_pairs; i++) {
		const struct doc_pair *pair = &p->at->pairs[i];
		struct place at = place_key(p, pair->key->text, pair->value);

		if (label_load(l, &at, &v[n]))
			n++;
	}
	if (n)
		qsort(v, n, sizeof(*v), label_cmp);
	*out = (struct labels){ .v = v, .n = n };
	return n == p->at->n_pairs;
}

bool check_link_name(struct loader *l, const struct place *p, const char *name)
{
	size_t len = strlen(name);

	if (len && len < IFNAMSIZ && strcspn(name, "/ \t\n:%") == len && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0)
		return true;
	load_error(l, p, "a link's name, such as eth0: at most 15 characters",
		   "'%.60s' is not a link's name", name);
	return false;
}

void check_router_id(struct loader *l, const struct place *p, struct addr *id)
{
	if (id->family == FAMILY_V6) {
		load_error(l, p, "write it like an IPv4 address, even on a network without IPv4",
			   "a router id has 4 bytes: %s is an IPv6 address", ADDR_TEXT(id));
		*id = (struct addr){ 0 };
	} else if (addr_is_set(id) && addr_is_unspecified(id)) {
		load_warning(l, p, "leave it away for an automatic one",
			     "peers refuse the router id 0.0.0.0");
	}
}
