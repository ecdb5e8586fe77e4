/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who opens a connection, and when. A client that has no free connection decides in that moment on
 * whose behalf it will send, although it can only send once the other end has answered.
 */
#ifndef SPANDREL_CONNECT_BPF_H
#define SPANDREL_CONNECT_BPF_H

/* The state SYN_SENT is entered within connect(), unlike all others: there `current` is known. */
static __always_inline void connect_begun(struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_state *thread;
	struct connect_event *e;
	struct socket_flow flow = {};

	if (control.paused || !family_wanted(sk->__sk_common.skc_family))
		return;
	thread = this_thread(task);
	if (!thread || !thread_wanted(thread, task))
		return;
	read_flow(&flow, sk, bpf_get_socket_cookie(sk));
	flow.role = ROLE_CLIENT;
	if (!socket_wanted(&flow))
		return;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_FULL);
		return;
	}
	fill_header(&e->header, sizeof(*e), EVENT_CONNECT, bpf_ktime_get_boot_ns(), task,
		    thread->turn);
	__builtin_memcpy(&e->flow, &flow, sizeof(flow));
	bpf_ringbuf_submit(e, wakeup_flag());
}

#endif
