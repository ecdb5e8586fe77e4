/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who wakes whom within a program: a worker that has finished wakes the thread that waits for the
 * result, and who hands work over wakes a worker that waits for some.
 *
 * Only threads that did socket I/O count, and of what one does after a message only the first few
 * wake-ups: locks that are passed around under load would fill the ring.
 */
#ifndef SPANDREL_WAKEUP_BPF_H
#define SPANDREL_WAKEUP_BPF_H

#define NR_WRITE 1
#define NR_FUTEX 202
#define NR_FUTEX_WAKE 454

/* On purpose: not by an interrupt that met this thread, nor by the peer of a socket. */
static __always_inline bool wakes_on_purpose(struct task_struct *waker)
{
	struct pt_regs *regs;

	if (waker->thread_info.status & TS_COMPAT)
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs(waker);
	return regs->orig_ax == NR_FUTEX || regs->orig_ax == NR_WRITE ||
	       regs->orig_ax == NR_FUTEX_WAKE;
}

static __always_inline int thread_woken(struct task_struct *woken)
{
	struct task_struct *waker = bpf_get_current_task_btf();
	struct thread_state *thread, *other;
	struct activity_event *e;

	if (woken->tgid != waker->tgid || woken == waker || control.paused || !use_task_storage)
		return 0;
	thread = known_thread(waker);
	if (!thread || !thread->wanted || !thread->wakes_left || thread->go.goid_at)
		return 0;
	other = bpf_task_storage_get(&threads, woken, 0, 0);
	if (!other || !other->wanted || !wakes_on_purpose(waker))
		return 0;
	thread->wakes_left--;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_FULL);
		return 0;
	}
	fill_header(&e->header, sizeof(*e), EVENT_ACTIVITY, bpf_ktime_get_boot_ns(), waker,
		    thread->turn);
	e->coroutine = 0;
	e->what = ACTIVITY_WAKEUP;
	e->other_tid = woken->pid;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
