/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The current thread: its state, whether it is to be recorded, and its part of a record. */
#ifndef SPANDREL_THREAD_BPF_H
#define SPANDREL_THREAD_BPF_H

#define PF_IO_WORKER 0x00000010
#define PF_KTHREAD 0x00200000
#define TS_COMPAT 0x0002

/* Wake-ups told after each message of the thread that wakes. */
#define WAKES_PER_MESSAGE 4

/* An event in this many looks at the thread's name and cgroup again; exec does at once. */
#define EVENTS_PER_LOOK 64

static const struct thread_state new_thread;

static __always_inline struct thread_state *known_thread(struct task_struct *task)
{
	if (use_task_storage)
		return bpf_task_storage_get(&threads, task, 0, 0);
	__u32 tid = bpf_get_current_pid_tgid();
	return bpf_map_lookup_elem(&threads_by_id, &tid);
}

static __always_inline struct thread_state *this_thread(struct task_struct *task)
{
	struct thread_state *thread;

	if (use_task_storage) {
		thread = bpf_task_storage_get(&threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		__u32 tid = bpf_get_current_pid_tgid();

		thread = bpf_map_lookup_elem(&threads_by_id, &tid);
		if (!thread) {
			bpf_map_update_elem(&threads_by_id, &tid, &new_thread, BPF_NOEXIST);
			thread = bpf_map_lookup_elem(&threads_by_id, &tid);
		}
	}
	if (!thread)
		count_drop(DROP_TASK_STORAGE);
	return thread;
}

static __always_inline bool comm_matches(const char *comm)
{
	for (int i = 0; i < COMM_BYTES; i++) {
		if (comm[i] != comm_wanted[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

static __always_inline __u32 decide_wanted(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	__u32 *rule = bpf_map_lookup_elem(&programs, &tgid);

	if (task->flags & PF_KTHREAD)
		return 0;
	if (rule && *rule != RULE_INCLUDE)
		return 0;
	if (filter_programs && !rule)
		return 0;
	if (filter_comm) {
		char comm[COMM_BYTES];

		bpf_get_current_comm(comm, sizeof(comm));
		return comm_matches(comm);
	}
	return 1;
}

static __always_inline void fill_header(struct event_header *h, __u32 size, __u8 kind, __u64 now,
					struct task_struct *task, __u32 turn)
{
	h->size = size;
	h->kind = kind;
	h->ring = 0;
	h->reserved = 0;
	h->emit_ns = now;
	h->leader_start_ns = task->group_leader->start_boottime;
	h->tgid = task->tgid;
	h->tid = task->pid;
	h->exec_count = task->self_exec_id;
	h->turn = turn;
	h->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(h->comm, sizeof(h->comm));
}

static __always_inline void look_for_node(struct thread_state *thread, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	__u64 *known = task->pid == tgid ? bpf_map_lookup_elem(&node_programs, &tgid) : NULL;
	__u64 cell = known ? *known : 0;

	if (thread->node.cell != cell)
		thread->node.is_met = 0;
	thread->node.cell = cell;
}

static __always_inline void look_for_go(struct thread_state *thread, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct go_layout *go = bpf_map_lookup_elem(&go_programs, &tgid);

	if (go)
		thread->go = *go;
	else
		thread->go.goid_at = 0;
	thread->coroutine = 0;
	thread->python.is_known = bpf_map_lookup_elem(&python_programs, &tgid) != NULL;
	thread->python.state = 0;
	thread->python.job = 0;
	thread->python.job_looks = 0;
}

/* Name and cgroup cost two calls: they are looked at once in a while. */
static __always_inline bool thread_wanted(struct thread_state *thread, struct task_struct *task)
{
	if (thread->generation != control.program_generation ||
	    ++thread->age >= EVENTS_PER_LOOK) {
		if (thread->generation != control.program_generation) {
			thread->wanted = decide_wanted(task);
			look_for_go(thread, task);
			look_for_node(thread, task);
		}
		thread->generation = control.program_generation;
		thread->age = 0;
		fill_header(&thread->header, 0, EVENT_DATA, 0, task, 0);
	}
	return thread->wanted;
}

#endif
