/**
 * A LAN in one process: nodes with the real decisions on both threads (world, planner, layer2, moves, rivals, mesh, handover;
 * pulse, liveness, BFD sessions, announcer), wired as src/app and app/packet.c have it, and a client that knows addresses as Linux
 * does. What stands between them is made up here: frames, heartbeats, connections and gossip that are late, get lost and
 * are cut; links on which an address stands some milliseconds after it was wanted; threads that are busy. A step is a
 * tenth of a millisecond; each node's clock has a rate of its own.
 *
 *   lan_wire.c    the network, and time
 *   lan_node.c    a node: the wiring of both threads, gossip, its life
 *   lan_stand.c   the stand-ins for sockets, links and the thread between
 *   lan_client.c  the client
 */
#ifndef TESTS_SIM_APP_LAN_H
#define TESTS_SIM_APP_LAN_H

#include "app/handover.h"
#include "app/layer2.h"
#include "app/mesh.h"
#include "base/rng.h"
#include "bfd/pkt.h"
#include "unit/plan/scene.h"

enum {
	LAN_NODES_MAX = 8,
	LAN_CLIENT = LAN_NODES_MAX, /* its place on the wire */
	LAN_STEP_US = 100,
	LAN_NAME_MAX = 4,
	LAN_IFINDEX = 1,
};

struct lan;
struct node;

/* --- what is on its way --- */

enum lan_kind {
	LAN_FRAME,	/* Ethernet */
	LAN_BEAT,	/* a heartbeat */
	LAN_MESH,	/* a frame of the mesh, on a connection */
	LAN_DIAL,	/* of a connection: the question, */
	LAN_DIALLED,	/* the answer, */
	LAN_REFUSED,	/* or nobody has the port; */
	LAN_ENDED,	/* the other end has closed it */
	LAN_TO_PACKET,	/* something for the packet thread */
	LAN_TO_CONTROL, /* the packet thread's word */
	LAN_GOSSIP,	/* `from` joined, died, left, was drained, or told its Ethernet address */
};

enum lan_gossip { LAN_JOINED, LAN_LEFT, LAN_DRAINED, LAN_UNDRAINED, LAN_MAC };

enum lan_word { LAN_L2_EVENT, LAN_PULSE_EVENT };

struct lan_mail {
	struct list link;
	int64_t at_us;
	enum lan_kind kind;
	unsigned from, to;
	unsigned to_life; /* of a node; another one does not get it */
	union {
		struct {
			size_t len;
			uint8_t bytes[NDP_ADVERT_LEN];
		} frame;
		struct bfd_pkt beat;
		struct {
			unsigned number; /* of the connection */
			struct mesh_frame frame;
			char name[LAN_NAME_MAX];
		} mesh;
		struct {
			enum lan_word kind;
			union {
				struct l2_event l2;
				struct pulse_event pulse;
			};
		} word;
		enum lan_gossip gossip;
	};
};

/* --- a node --- */

struct lan_session {
	struct node *n;
	unsigned peer; /* its place */
	uint16_t id;
	bool used;
	struct bfd_session s;
	struct loop_timer timer;
};

/** One end of a connection. */
struct lan_end {
	bool known; /* a peer of the mesh */
	bool wanted;
	bool linked;
	bool dialling;
	bool doubted; /* it has ended: has the port gone? */
	uint16_t id;
	unsigned number;
	int64_t again_us;
	int64_t last_us; /* what is sent on it arrives in order */
};

struct lan_view {
	bool sees;
	bool missed;	    /* whether it is drained was said in vain */
	int64_t differs_us; /* since then it is not as gossip has it */
	int64_t late_us;
};

struct node {
	struct lan *lan;
	unsigned at;
	char name[LAN_NAME_MAX];
	struct mac mac;
	unsigned life;
	bool runs, frozen;
	bool leaves;	   /* it has been stopped, */
	bool drained;	   /* or drained, */
	bool said_drained; /* and all others know */
	int64_t ends_us;
	int64_t rate_ppm;
	struct loop *loop;

	/* The control thread. */
	struct node_ids *ids;
	struct world *world;
	struct planner *planner;
	struct layer2 l2;
	struct mesh *mesh;
	struct handover *handover;
	struct loop_timer alone;
	struct lan_view views[LAN_NODES_MAX];
	struct net_link links[1];

	/* From one thread to the other. */
	bool to_packet_due;
	struct l2_nodes alive, left;
	bool away;
	struct l2_table *next_l2;
	const struct pulse_table *next_pulse;
	int64_t to_control_us;

	/* The packet thread. */
	struct l2_announcer *announcer;
	struct pulse *pulse;
	struct loop_timer speak;
	struct l2_nodes alive_told, left_told;
	bool away_told;
	struct l2_table *l2_in_force;
	const struct pulse_table *pulse_in_force;
	void (*session_event)(void *ctx, const struct bfd_event *ev);
	void *session_ctx;
	struct mesh_io_hooks mesh_hooks;
	struct lan_session sessions[LAN_NODES_MAX];
	struct lan_end ends[LAN_NODES_MAX];

	/* The address on its link. */
	bool wants_owned, prepared;
	int64_t wants_until_us;
	int64_t placed_us; /* 0: not there, nor on its way */
};

/* --- the client --- */

enum neigh_state {
	NEIGH_NONE,
	NEIGH_INCOMPLETE,
	NEIGH_REACHABLE,
	NEIGH_STALE,
	NEIGH_DELAY,
	NEIGH_PROBE,
	NEIGH_FAILED
};

struct client {
	struct lan *lan;
	struct addr addr;
	struct mac mac;
	enum neigh_state state;
	struct mac neigh; /* whose it believes the address to be */
	int64_t updated_us, confirmed_us, used_us, timer_us;
	unsigned probes;
	bool confirms; /* its program says when an answer came, as ping does */
	int64_t reachable_us;
	int64_t next_us;		 /* packet */
	int64_t asked_us[LAN_NODES_MAX]; /* when a node's kernel asked for it last */
	int64_t answered_us;
	int64_t gap_us; /* the longest without an answer since it was set to 0 */
	bool was_right;
	int64_t right_since_us;
};

struct lan {
	struct scene scene;
	struct addr addr;
	struct rng rng;
	int64_t now_us;
	unsigned n;
	struct node nodes[LAN_NODES_MAX];
	struct client client;
	struct list mail;
	unsigned connections;
	uint8_t side[LAN_NODES_MAX + 1];
	bool cut;
	unsigned loss;	      /* of frames and heartbeats, of a thousand */
	unsigned delay_us;    /* at most */
	unsigned busy;	      /* of a thousand turns of a control thread */
	unsigned asks_one_of; /* packets: then a node's kernel asks who the client is */
	bool trace;
};

/* lan_wire.c */
struct lan *lan_new(unsigned n, uint64_t seed);
void lan_free(struct lan *l);
void lan_run(struct lan *l, int64_t us);
bool lan_reaches(const struct lan *l, unsigned from, unsigned to);
bool lan_happens(struct lan *l, unsigned of_a_thousand);
bool lan_chance(struct lan *l, unsigned one_of);
/** Mail that arrives after a network's delay, or after @us. */
struct lan_mail *lan_mail_in(struct lan *l, enum lan_kind kind, unsigned from, unsigned to,
			     int64_t us);
void lan_post(struct lan *l, struct lan_mail *m);
int64_t lan_delay_us(struct lan *l);
/** To @to alone, or with a broadcast's address to all others. */
void lan_frame_send(struct lan *l, unsigned from, const uint8_t *bytes, size_t len);
struct addr lan_node_addr(unsigned node);
struct mac lan_mac(unsigned place);

/* lan_node.c */
void node_start(struct lan *l, unsigned i);
void node_end(struct node *n);
void node_stop(struct node *n); /* SIGTERM */
void node_drain(struct node *n, bool drained);
void node_thaw(struct node *n, int64_t paused_us);
void node_step(struct node *n);
void node_mail(struct node *n, const struct lan_mail *m);
void node_follow(struct node *n);
bool node_works(const struct node *n);
bool node_owns(const struct node *n);
/** Its kernel takes what is sent to the address. */
bool node_has(const struct node *n);
void node_wake_packet(struct node *n);
void node_tell_control(struct node *n, struct lan_mail *m);
void node_hear_gossip(struct node *n, unsigned j, enum lan_gossip what);

/* lan_stand.c */
void sessions_hear(struct node *n, const struct lan_mail *m);
void sessions_end(struct node *n);
void sessions_wake(struct node *n, struct mono now);
void ends_mail(struct node *n, const struct lan_mail *m);
void ends_step(struct node *n);
void ends_close(struct node *n);
void ends_break(struct node *n, unsigned peer);
/** The parts that are made next are those of this node. */
void stand_for(struct node *n);
void link_settle(struct node *n);

/* lan_client.c */
void client_start(struct client *c, struct lan *l);
void client_step(struct client *c);
void client_hear(struct client *c, const uint8_t *frame);
/** Which node it sends to; LAN_CLIENT: none. */
unsigned client_at(const struct client *c);

#endif
