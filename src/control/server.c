#include "control/server.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "control/link.h"

enum {
	CLIENTS_MAX = 64,
	QUEUE_MAX = 4 << 20,
	ACCEPTS_AT_ONCE = 16,
	SOCKET_MODE = 0660,
};

struct control_server {
	struct control_env env;
	size_t max_clients;
	struct list links;
	int fd;
	struct loop_io io;
	struct loop_timer again; /* descriptors had run out */
	char *path;
	dev_t dev; /* the socket file, so that only our own is removed */
	ino_t ino;
};

static void server_watch(struct control_server *s)
{
	loop_io_watch(&s->io, s->fd, LOOP_READ);
}

static void turn_away(struct control_server *s, int fd)
{
	static const char why[] =
		"{\"id\":null,\"ok\":false,\"error\":{\"kind\":\"limit\","
		"\"message\":\"too many clients on the control socket: try again\"}}\n";

	s->env.stats.refused++;
	/* A client that cannot even take this line just sees the end. */
	if (send(fd, why, sizeof(why) - 1, MSG_NOSIGNAL) < 0)
		log_plain(LOG_DEBUG, "controlRefused", "a client left before it was refused");
	close(fd);
}

/*
 * Too many clients, or no descriptor left: who is there stays, the new one is turned away or
 * waits.
 */
static void server_accept(struct loop_io *io, unsigned events)
{
	struct control_server *s = CONTAINER_OF(io, struct control_server, io);

	(void)events;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
			loop_io_stop(&s->io);
			loop_timer_set(&s->again, mono_add(loop_now(s->env.loop), DUR_S(1)));
		}
		if (fd < 0)
			return;
		if (s->env.stats.clients >= s->max_clients) {
			turn_away(s, fd);
			continue;
		}
		s->env.stats.accepted++;
		control_link_new(&s->env, &s->links, fd);
	}
}

static void server_again(struct loop_timer *t, struct mono now)
{
	(void)now;
	server_watch(CONTAINER_OF(t, struct control_server, again));
}

static int path_to_address(const char *path, struct sockaddr_un *out, struct err *e)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (path[0] != '/' || strlen(path) >= sizeof(out->sun_path))
		return err_set(e, ERR_CONFIG,
			       "control socket %s: the path has to be absolute and shorter than "
			       "%zu bytes",
			       path, sizeof(out->sun_path));
	memcpy(out->sun_path, path, strlen(path));
	return 0;
}

/* The folder of a service unit is there; one started by hand makes it. Only its last part. */
static int make_folder(const char *path, struct err *e)
{
	CLEANUP(mem_freep) char *folder = mem_strndup(path, (size_t)(strrchr(path, '/') - path));

	if (folder[0] && mkdir(folder, 0755) < 0 && errno != EEXIST)
		return err_errno(e, "control socket: make the folder %s", folder);
	return 0;
}

/*
 * A file left behind by a daemon that died is in the way; one that somebody listens on is not ours
 * to take.
 */
static int remove_stale(const struct sockaddr_un *address, struct err *e)
{
	const char *path = address->sun_path;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(e, "control socket %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFIG,
			       "control socket %s: a file that is no socket is there", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, "control socket");
	int rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	int why = errno;
	close(fd);
	if (rc == 0 || why == EAGAIN)
		return err_set(e, ERR_STATE,
			       "control socket %s: another crier listens there; stop it, or give "
			       "this one a path of its own",
			       path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(e, "control socket %s: remove the old one", path);
	return 0;
}

static void warn_group(const char *path, const char *group, const char *why)
{
	log_event(LOG_WARN, "controlGroup",
		  "only root can use the control socket: its group could not be set",
		  KV_STR("socket", path), KV_STR("group", group), KV_STR("error", why));
}

static void give_to_group(const char *path, const char *group)
{
	char text[4096];
	struct group entry;
	struct group *found = NULL;

	if (getgrnam_r(group, &entry, text, sizeof(text), &found) != 0 || !found)
		warn_group(path, group, "there is no such group; make it with: groupadd --system");
	else if (chown(path, (uid_t)-1, found->gr_gid) < 0)
		warn_group(path, group, strerror(errno));
}

static int listen_on(struct control_server *s, const struct sockaddr_un *address, struct err *e)
{
	struct stat st;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return err_errno(e, "control socket");
	/*
	 * Closed to everybody until mode and group are right: Linux takes the file's mode from the
	 * socket's.
	 */
	if (fchmod(s->fd, 0600) < 0 ||
	    bind(s->fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return err_errno(e, "control socket %s", address->sun_path);
	if (stat(address->sun_path, &st) < 0)
		return err_errno(e, "control socket %s", address->sun_path);
	s->path = mem_strdup(address->sun_path);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

static int open_up(struct control_server *s, const char *group, struct err *e)
{
	if (group && group[0])
		give_to_group(s->path, group);
	if (chmod(s->path, SOCKET_MODE) < 0)
		return err_errno(e, "control socket %s: set its mode", s->path);
	if (listen(s->fd, SOMAXCONN) < 0)
		return err_errno(e, "control socket %s: listen", s->path);
	return 0;
}

int control_server_new(const struct control_conf *conf, struct loop *loop,
		       struct control_server **out, struct err *e)
{
	CLEANUP(control_server_freep) struct control_server *s = mem_new(struct control_server);
	struct sockaddr_un address;

	s->env.loop = loop;
	s->env.ops = conf->ops;
	s->env.max_queue_bytes = conf->max_queue_bytes ? conf->max_queue_bytes : QUEUE_MAX;
	s->max_clients = conf->max_clients ? conf->max_clients : CLIENTS_MAX;
	s->fd = -1;
	list_init(&s->links);
	loop_io_init(&s->io, loop, server_accept);
	loop_timer_init(&s->again, loop, server_again);

	int rc = path_to_address(conf->path, &address, e);
	if (rc < 0 || (rc = make_folder(conf->path, e)) < 0 ||
	    (rc = remove_stale(&address, e)) < 0 || (rc = listen_on(s, &address, e)) < 0 ||
	    (rc = open_up(s, conf->group, e)) < 0)
		return rc;
	server_watch(s);
	*out = TAKE(s);
	return 0;
}

static void remove_file(const struct control_server *s)
{
	struct stat st;

	if (s->path && lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
}

struct control_server *control_server_free(struct control_server *s)
{
	struct control_link *l;

	if (!s)
		return NULL;
	LIST_EACH (l, &s->links, list)
		control_link_free(l);
	loop_io_stop(&s->io);
	loop_timer_stop(&s->again);
	remove_file(s);
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	free(s);
	return NULL;
}

void control_server_freep(struct control_server **s)
{
	control_server_free(*s);
}

static const struct metric_row metric_rows[] = { CONTROL_METRICS(METRIC_ROW,
								 struct control_stats) };

void control_server_metrics(const struct control_server *s, struct metric_writer *w)
{
	metric_struct(w, "crier_control_", metric_rows, ARRAY_LEN(metric_rows), &s->env.stats);
}
