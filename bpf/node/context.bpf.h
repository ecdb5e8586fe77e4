/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For which request of its own a Node program writes, where a script in it says so (only with
 * --node-context): it keeps the number of that context in a cell of memory, and behind it which
 * contexts have begun, and on which stream they send. All of it is read here, at calls on sockets
 * of the thread that runs the script.
 */
#ifndef SPANDREL_NODE_CONTEXT_BPF_H
#define SPANDREL_NODE_CONTEXT_BPF_H

/* The cell: see follow_requests.js. */
#define NODE_WRITER_AT 16
#define NODE_COUNT_AT 24
#define NODE_ENTRIES_AT 64
#define NODE_ENTRIES 1024
#define NODE_ENTRIES_TOLD 16 /* at one call on a socket; the others follow at the next one */

struct node_entry {
	__u32 context;
	__u32 what;   /* enum coroutine_task */
	__u32 stream; /* 0 where requests have no number */
	__s32 fd;
};

/* The socket behind a descriptor of this process; 0 where it is none, or was never recorded. */
static __always_inline __u64 cookie_of_fd(struct task_struct *task, __s32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL, **files;
	struct socket *sock;
	struct sock *sk;

	if (fd < 0 || fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	sock = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(sock, sk);
	if (!sk || BPF_CORE_READ(sk, sk_socket) != sock)
		return 0;
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

static __always_inline void tell_entry(struct task_struct *task, const struct node_entry *entry)
{
	struct coroutine_event *e;
	__u64 cookie = cookie_of_fd(task, entry->fd);

	if (!cookie)
		return;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_FULL);
		return;
	}
	fill_header(&e->header, sizeof(*e), EVENT_COROUTINE, bpf_ktime_get_boot_ns(), task, 0);
	__builtin_memset(e->line, 0, sizeof(e->line));
	e->line[0].coroutine = COROUTINE_CONTEXT | entry->context;
	e->object = cookie;
	e->stream = entry->stream;
	e->task = entry->what;
	bpf_ringbuf_submit(e, wakeup_flag());
}

/* Tells what the script has noted since the last time; returns who writes now. */
__noinline __u64 read_node_cell(struct thread_state *thread)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct node_entry entry;
	__u32 head[4];

	if (!thread)
		return 0;
	if (bpf_probe_read_user(head, sizeof(head), (void *)(thread->node.cell + NODE_WRITER_AT)))
		return 0;
	/* What was noted before is over, and its descriptors may be others by now. */
	if (!thread->node.is_met || head[2] - thread->node.told > NODE_ENTRIES)
		thread->node.told = head[2];
	thread->node.is_met = 1;
	for (int i = 0; i < NODE_ENTRIES_TOLD && thread->node.told != head[2]; i++) {
		__u64 at = thread->node.cell + NODE_ENTRIES_AT +
			   sizeof(entry) * (thread->node.told % NODE_ENTRIES);

		thread->node.told++;
		if (!bpf_probe_read_user(&entry, sizeof(entry), (void *)at))
			tell_entry(task, &entry);
	}
	return head[0] ? COROUTINE_CONTEXT | head[0] : 0;
}

/* The context on whose behalf the thread writes; 0 when it is not known, and for reads. */
static __always_inline __u64 this_node_context(struct thread_state *thread, __u8 direction)
{
	__u64 context = read_node_cell(thread);

	return direction == DIRECTION_EGRESS ? context : 0;
}

#endif
