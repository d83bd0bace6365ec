/*
 * The first program of tools/vm/run's machine. It loads the modules that /modules lists, puts a writable layer of memory
 * over the host's file system (read-only, by 9p), runs /command there, and says how that ended: "vm: exit N".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT "/root"

static void fatal(const char *what)
{
	printf("vm: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	reboot(RB_POWER_OFF);
}

static void mount_on(const char *type, const char *path, const char *source, unsigned long flags, const char *options)
{
	mkdir(path, 0755);
	if (mount(source, path, type, flags, options) < 0)
		fatal(path);
}

static void load(const char *module)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/lib/%s", module);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
		fatal(path);
	close(fd);
}

static void load_all(void)
{
	FILE *list = fopen("/modules", "re");
	char name[128];

	if (!list)
		fatal("/modules");
	while (fscanf(list, "%127s", name) == 1)
		load(name);
	fclose(list);
}

static void mount_kernel(void)
{
	mount_on("proc", "/proc", "proc", 0, "");
	mount_on("sysfs", "/sys", "sys", 0, "");
	mount_on("devtmpfs", "/dev", "dev", 0, "");
}

static void mount_host(void)
{
	mount_on("9p", "/host", "host", MS_RDONLY, "trans=virtio,version=9p2000.L,msize=512000,cache=loose");
	mount_on("tmpfs", "/memory", "memory", 0, "");
	mkdir("/memory/upper", 0755);
	mkdir("/memory/work", 0755);
	mount_on("overlay", ROOT, "overlay", 0, "lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work");
}

/* What a running system has, above the host's empty folders of the same names. */
static void mount_above_host(void)
{
	mount_on("proc", ROOT "/proc", "proc", 0, "");
	mount_on("sysfs", ROOT "/sys", "sys", 0, "");
	mount_on("cgroup2", ROOT "/sys/fs/cgroup", "cgroup2", 0, "");
	mount_on("bpf", ROOT "/sys/fs/bpf", "bpf", 0, "");
	mount_on("devtmpfs", ROOT "/dev", "dev", 0, "");
	mount_on("devpts", ROOT "/dev/pts", "devpts", 0, "");
	mount_on("tmpfs", ROOT "/dev/shm", "shm", 0, "");
	mount_on("tmpfs", ROOT "/run", "run", 0, "");
}

static int run(const char *command)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		setsid();
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	/* Orphans are the first program's children. */
	for (pid_t ended; (ended = wait(&status)) != child;)
		if (ended < 0 && errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	static char command[65536];
	FILE *file = fopen("/command", "re");

	if (!file || fread(command, 1, sizeof(command) - 1, file) == 0)
		fatal("/command");
	mount_kernel();
	load_all();
	mount_host();
	mount_above_host();
	if (chroot(ROOT) < 0 || chdir("/") < 0)
		fatal(ROOT);
	printf("vm: exit %d\n", run(command));
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
