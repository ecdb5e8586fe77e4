/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which task has written what a loop sends later.
 *
 * uvloop keeps what tasks write, puts the connection into a set, and sends once all tasks have had
 * their turn, when none runs. So the task is noted where the set is added to: a breakpoint in
 * uvloop, see uvloop_file.ts. What is added there is told by itself: a connection of uvloop and its
 * handle of libuv point to each other. Layouts are libuv's of 1.x, and uvloop's since 0.14.
 */
#ifndef SPANDREL_QUEUED_BPF_H
#define SPANDREL_QUEUED_BPF_H

#define UVLOOP_HANDLE_AT 24
#define UV_TYPE_AT 16
#define UV_DESCRIPTOR_AT 184 /* in streams */
#define UV_NAMED_PIPE 7
#define UV_TCP 12

/* What was not sent for so long was not sent at all, or on a socket that is ignored. */
#define QUEUED_NS_MAX 1000000000ULL

struct queued_key {
	__u32 tgid;
	__u32 fd;
};

struct queued_write {
	__u64 coroutine; /* 0 = several */
	__u64 at_ns;     /* the first of what is sent at once */
	__u32 tid;
	__u32 reserved;
};

/* Connections with something to send; the longest unused is forgotten. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct queued_key);
	__type(value, struct queued_write);
} queued_writes SEC(".maps");

/* Descriptor of a connection of uvloop; 0 where the object is none. */
static __always_inline __u32 uvloop_descriptor(__u64 object)
{
	__u64 handle = read_word(object + UVLOOP_HANDLE_AT);
	__u32 type;

	if (!handle || read_word(handle) != object)
		return 0;
	type = read_word(handle + UV_TYPE_AT);
	if (type != UV_TCP && type != UV_NAMED_PIPE)
		return 0;
	return read_word(handle + UV_DESCRIPTOR_AT);
}

/* Something is put into a set of uvloop's: if it is a connection, the running task has written. */
static __always_inline int connection_queued(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct queued_write write = {}, *before;
	struct queued_key key = { .tgid = task->tgid };
	struct python_layout *python = bpf_map_lookup_elem(&python_programs, &key.tgid);
	struct thread_state *thread;
	__u64 now = bpf_ktime_get_boot_ns();

	key.fd = uvloop_descriptor(ctx->si);
	if (!python || !key.fd || control.paused)
		return 0;
	thread = this_thread(task);
	if (!thread || !thread_wanted(thread, task) || !thread->python.is_known)
		return 0;
	write.coroutine = this_python_task(thread, python, task);
	write.at_ns = now;
	write.tid = task->pid;
	before = bpf_map_lookup_elem(&queued_writes, &key);
	if (before && before->tid == write.tid && now - before->at_ns < QUEUED_NS_MAX) {
		write.at_ns = before->at_ns;
		if (before->coroutine != write.coroutine)
			write.coroutine = 0;
	}
	bpf_map_update_elem(&queued_writes, &key, &write, BPF_ANY);
	return 0;
}

/*
 * The thread sends outside of all tasks: tells which task has written that, 0 if it is not known,
 * and when.
 */
static __always_inline __u64 task_of_queued(struct task_struct *task, struct message *m)
{
	struct queued_key key = { .tgid = task->tgid, .fd = m->fd };
	struct queued_write *write = bpf_map_lookup_elem(&queued_writes, &key);
	__u64 coroutine = 0;

	if (!write)
		return 0;
	if (write->tid == task->pid &&
	    bpf_ktime_get_boot_ns() - write->at_ns < QUEUED_NS_MAX) {
		coroutine = write->coroutine;
		m->start_ns = write->at_ns;
		m->flags |= DATA_START_KNOWN;
	}
	bpf_map_delete_elem(&queued_writes, &key);
	return coroutine;
}

#endif
