#include "vip/change.h"

#include <stdio.h>

#include "net/ifaddr.h"
#include "net/sockdiag.h"

struct vip_change *vip_changes_add(struct vip_changes *c, const struct addr *a)
{
	if (c->n == VIP_CHANGES_MAX)
		return NULL;
	struct vip_change *ch = &c->v[c->n++];

	*ch = (struct vip_change){ .addr = *a };
	return ch;
}

static bool fail(struct vip_change *ch, const struct err *e)
{
	snprintf(ch->failed, sizeof(ch->failed), "%.*s", VIP_REASON_MAX - 1, e->text);
	return false;
}

/* These return false when the rest of the change must not be done. */

static bool put_on(struct vip_change *ch, uint32_t life_s, struct netlink *nl, struct err *e)
{
	int code = ifaddr_add(nl, ch->add_to, &ch->addr, life_s, e);

	if (code == IFADDR_EXISTS)
		code = err_set(e, ERR_STATE, "it was there already");
	if (code < 0)
		return fail(ch, e);
	ch->added = true;
	return true;
}

static bool take_off(struct vip_change *ch, struct netlink *nl, struct err *e)
{
	int code = ifaddr_remove(nl, ch->remove_from, &ch->addr, e);

	if (code < 0)
		return fail(ch, e);
	ch->removed = true;
	ch->was_there = code == 0;
	return true;
}

static void change_do(struct vip_change *ch, const struct vip_changes *c, struct netlink *nl,
		      const struct err *record_error)
{
	struct err e = { 0 };
	bool well = true;

	if (ch->add_to && c->record_failed)
		well = fail(ch, record_error);
	else if (ch->add_to)
		well = put_on(ch, c->life_s, nl, &e);
	/* While it is still here, so that the other ends hear of it; an address that only moves keeps them. */
	if (well && ch->remove_from && !ch->add_to && c->end_connections)
		(void)sockdiag_end_tcp(&ch->addr);
	if (well && ch->remove_from)
		well = take_off(ch, nl, &e);
	if (well && ch->renew_on && ifaddr_renew(nl, ch->renew_on, &ch->addr, c->life_s, &e) < 0)
		(void)fail(ch, &e);
}

static int record_put(const struct vip_changes *c, struct err *e)
{
	if (c->record_whole)
		return vip_record_write(c->path, &c->record, e);
	return vip_record_append(c->path, &c->record, e);
}

void vip_changes_do(struct vip_changes *c, struct netlink *nl)
{
	struct err e = { 0 };

	c->record_failed = c->record_wanted && record_put(c, &e) < 0;
	for (size_t i = 0; i < c->n; i++)
		change_do(&c->v[i], c, nl, &e);
}

void vip_changes_clear(struct vip_changes *c)
{
	vip_record_fini(&c->record);
	c->record_wanted = c->record_whole = c->record_failed = false;
	c->n = 0;
}
