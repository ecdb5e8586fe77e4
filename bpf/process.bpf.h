/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts about processes, taken in the kernel because /proc is gone for short-lived ones. */
#ifndef SPANDREL_PROCESS_BPF_H
#define SPANDREL_PROCESS_BPF_H

#define SIGUSR1 10

static __always_inline struct process_event *reserve_process(void)
{
	struct process_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e)
		count_drop(DROP_RING_FULL);
	return e;
}

static __always_inline void fill_facts(struct process_facts *f, struct task_struct *task,
				       __u32 what)
{
	struct task_struct *parent = task->real_parent;
	struct pid *pid = task->thread_pid;
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid inner = {};

	bpf_core_read(&inner, bpf_core_type_size(struct upid), &pid->numbers[level]);
	f->what = what;
	f->ppid = parent->tgid;
	f->parent_start_ns = parent->group_leader->start_boottime;
	f->inner_pid = inner.nr;
	f->pid_ns = BPF_CORE_READ(inner.ns, ns.inum);
	f->net_ns = task->nsproxy->net_ns->ns.inum;
	f->mnt_ns = task->nsproxy->mnt_ns->ns.inum;
	f->exit_status = 0;
	f->uid = task->cred->uid.val;
	f->filename_bytes = 0;
	f->args_bytes = 0;
}

static __always_inline void fill_process(struct process_event *e, struct task_struct *task,
					 __u32 what)
{
	fill_header(&e->header, sizeof(*e), EVENT_PROCESS, bpf_ktime_get_boot_ns(), task, 0);
	fill_facts(&e->facts, task, what);
}

/* A process that was there before the tracer; kernel threads do no I/O of their own. */
static __always_inline int write_seed(struct seq_file *seq, struct task_struct *task)
{
	struct process_seed s = {};

	if (!task || task->pid != task->tgid || task->flags & PF_KTHREAD)
		return 0;
	s.header.size = sizeof(s);
	s.header.kind = EVENT_PROCESS;
	s.header.leader_start_ns = task->start_boottime;
	s.header.tgid = task->tgid;
	s.header.tid = task->pid;
	s.header.exec_count = task->self_exec_id;
	s.header.cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	bpf_probe_read_kernel_str(s.header.comm, sizeof(s.header.comm), task->comm);
	fill_facts(&s.facts, task, PROCESS_SEEN);
	s.usr1_handler = (__u64)task->sighand->action[SIGUSR1 - 1].sa.sa_handler;
	bpf_seq_write(seq, &s, sizeof(s));
	return 0;
}

static __always_inline int process_forked(struct task_struct *child)
{
	struct process_event *e;
	__u32 parent, tgid = child->tgid, *rule;

	if (child->pid != child->tgid)
		return 0;
	parent = bpf_get_current_pid_tgid() >> 32;
	rule = bpf_map_lookup_elem(&programs, &parent);
	if (rule && *rule != RULE_EXCLUDE) {
		__u32 inherited = *rule;

		bpf_map_update_elem(&programs, &tgid, &inherited, BPF_ANY);
	}
	e = reserve_process();
	if (!e)
		return 0;
	fill_process(e, child, PROCESS_FORK);
	bpf_ringbuf_submit(e, wakeup_flag());
	return 0;
}

static __always_inline int program_executed(struct task_struct *task, struct linux_binprm *binprm)
{
	struct thread_state *thread = known_thread(task);
	unsigned long start, bytes;
	struct process_event *e;
	__u32 tgid = task->tgid;
	long copied;

	bpf_map_delete_elem(&go_programs, &tgid);
	bpf_map_delete_elem(&python_programs, &tgid);
	bpf_map_delete_elem(&node_programs, &tgid);
	if (thread)
		thread->generation = 0; /* name and key have changed */
	e = reserve_process();
	if (!e)
		return 0;
	fill_process(e, task, PROCESS_EXEC);
	copied = bpf_probe_read_kernel_str(e->filename, sizeof(e->filename), binprm->filename);
	e->facts.filename_bytes = copied > 0 ? copied - 1 : 0;
	start = task->mm->arg_start;
	bytes = task->mm->arg_end - start;
	if (bytes > ARGS_BYTES)
		bytes = ARGS_BYTES;
	asm volatile("" : "+r"(bytes));
	if (bytes <= ARGS_BYTES && !bpf_probe_read_user(e->args, bytes, (void *)start))
		e->facts.args_bytes = bytes;
	bpf_ringbuf_submit(e, wakeup_flag());
	return 0;
}

static __always_inline void thread_ended(struct task_struct *task, struct thread_state *thread)
{
	struct activity_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count_drop(DROP_RING_FULL);
		return;
	}
	fill_header(&e->header, sizeof(*e), EVENT_ACTIVITY, bpf_ktime_get_boot_ns(), task,
		    thread->turn);
	e->coroutine = 0;
	e->what = ACTIVITY_THREAD_EXIT;
	e->other_tid = 0;
	bpf_ringbuf_submit(e, wakeup_flag());
}

static __always_inline int task_exited(struct task_struct *task)
{
	struct thread_state *thread = known_thread(task);
	__u32 tgid = task->tgid, tid = task->pid;
	struct process_event *e;
	int group;

	if (thread && thread->wanted)
		thread_ended(task, thread);
	if (thread && !use_task_storage)
		bpf_map_delete_elem(&threads_by_id, &tid);
	if (task->signal->live.counter)
		return 0;
	bpf_map_delete_elem(&programs, &tgid);
	bpf_map_delete_elem(&go_programs, &tgid);
	bpf_map_delete_elem(&python_programs, &tgid);
	bpf_map_delete_elem(&node_programs, &tgid);
	e = reserve_process();
	if (!e)
		return 0;
	fill_process(e, task, PROCESS_EXIT);
	group = task->signal->group_exit_code;
	e->facts.exit_status = group ? group : task->group_leader->exit_code;
	bpf_ringbuf_submit(e, wakeup_flag());
	return 0;
}

#endif
