#include "app/foreign.h"

/* So many foreign writes within so long are no accident. */
enum { MANY = 3 };
#define WITHIN DUR_S(60)

bool foreign_wrote(const struct held *h, const struct world_service *s)
{
	bool same = s->n_addresses == h->n_has;

	for (size_t i = 0; same && i < h->n_has; i++)
		same = addr_eq(&s->addresses[i], &h->has[i]);
	/* Whoever empties a status gives nothing away; and a write of ours may be what it shows. */
	return !same && s->n_addresses > 0 && h->n_has > 0 && !h->version;
}

bool foreign_count(struct foreign *f, struct mono now)
{
	if (!f->writes || !mono_before(now, mono_add(f->since, WITHIN))) {
		f->since = now;
		f->writes = 0;
	}
	if (++f->writes < MANY || f->at_work)
		return false;
	f->at_work = true;
	return true;
}
