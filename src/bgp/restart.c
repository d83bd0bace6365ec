/* The speaker's own beginnings and ends: graceful restart, leaving for good, shutdown. */
#include "bgp/bgp_priv.h"

static void tell_sessions(struct bgp_speaker *sp)
{
	void *at;

	for (size_t i = 0; map_next(sp->peers, &i, NULL, &at);) {
		struct bgp_peer *p = at;

		p->session.conf = bgp_peer_session_conf(p);
	}
}

static void on_known(struct loop_timer *t, struct mono now)
{
	(void)now;
	bgp_speaker_known(CONTAINER_OF(t, struct bgp_speaker, known),
			  BGP_AWAITS_VIEW | BGP_AWAITS_FEEDERS);
}

void bgp_restart_init(struct bgp_speaker *sp)
{
	loop_timer_init(&sp->known, sp->loop, on_known);
}

void bgp_restart_fini(struct bgp_speaker *sp)
{
	loop_timer_stop(&sp->known);
}

void bgp_speaker_begin(struct bgp_speaker *sp, bool again, uint8_t awaits, struct dur at_most)
{
	sp->restarting = again;
	sp->forwarding = again;
	sp->awaits = awaits;
	bgp_rib_hold_marks(sp->rib, again && awaits);
	if (awaits)
		loop_timer_set(&sp->known, mono_add(loop_now(sp->loop), at_most));
	tell_sessions(sp);
}

void bgp_speaker_known(struct bgp_speaker *sp, uint8_t what)
{
	uint8_t before = sp->awaits;

	sp->awaits &= (uint8_t)~what;
	if (sp->awaits || !before)
		return;
	loop_timer_stop(&sp->known);
	sp->restarting = false;
	sp->forwarding = true;
	bgp_rib_hold_marks(sp->rib, false);
	tell_sessions(sp);
}

bool bgp_speaker_is_awaiting(const struct bgp_speaker *sp)
{
	return sp->awaits != 0;
}

bool bgp_speaker_is_fed(const struct bgp_speaker *sp, uint32_t owner)
{
	return bgp_hand_is_used(&sp->hand, owner);
}

bool bgp_speaker_is_kept(const struct bgp_speaker *sp)
{
	void *at;

	for (size_t i = 0; map_next(sp->peers, &i, NULL, &at);) {
		const struct bgp_peer *p = at;

		if (p->session.state == BGP_ESTABLISHED && p->session.agreed.restart)
			return true;
	}
	return false;
}

void bgp_speaker_leave(struct bgp_speaker *sp, bool leaving)
{
	void *p;

	sp->leaving = leaving;
	for (size_t at = 0; map_next(sp->peers, &at, NULL, &p);)
		bgp_peer_reformat(p);
}

bool bgp_speaker_is_heard(const struct bgp_speaker *sp)
{
	void *at;

	for (size_t i = 0; map_next(sp->peers, &i, NULL, &at);)
		if (((const struct bgp_peer *)at)->session.state == BGP_ESTABLISHED)
			return true;
	return false;
}

void bgp_speaker_retire(struct bgp_speaker *sp, bool retired, const char *text)
{
	void *at;

	sp->retired = retired;
	for (size_t i = 0; map_next(sp->peers, &i, NULL, &at);) {
		struct bgp_peer *p = at;

		if (retired && !p->admin_down) {
			bgp_peer_stop(p, false, text);
			p->retired = true;
		} else if (!retired && p->retired) {
			bgp_peer_return(p);
		}
	}
}

void bgp_speaker_shutdown(struct bgp_speaker *sp, bool restart, const char *text)
{
	void *p;

	for (size_t at = 0; map_next(sp->peers, &at, NULL, &p);)
		bgp_peer_stop(p, restart, text);
	bgp_speaker_listen(sp, &(struct bgp_listen_conf){ 0 });
	sp->stopping = true;
	bgp_speaker_lingered(sp);
}
