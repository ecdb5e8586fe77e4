/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which goroutine the current thread runs, who started it, and on whose behalf it acts.
 *
 * A goroutine is found by reading: each thread of a Go program keeps the address of its g at a
 * fixed place of its thread-local storage, and the g holds its number. Since Go 1.21 it also holds
 * who started it. That needs no breakpoint in the program. What cannot be read is caught by
 * uprobes: who starts a goroutine under older Go, who calls an object (a pooled HTTP connection)
 * that other goroutines serve, and goroutines that only start others. Those for streams of shared
 * connections are in go_stream.bpf.h.
 */
#ifndef SPANDREL_COROUTINE_BPF_H
#define SPANDREL_COROUTINE_BPF_H

#define G_STACK_HI_AT 8
#define G_M_AT 48
#define COROUTINE_MAX (1ULL << 48)

static __always_inline __u64 read_word(__u64 address)
{
	__u64 word = 0;

	if (bpf_probe_read_user(&word, sizeof(word), (void *)address))
		return 0;
	return word;
}

static __always_inline __u64 goid_of(const struct go_layout *go, __u64 g)
{
	__u64 id = g ? read_word(g + go->goid_at) : 0;

	return id < COROUTINE_MAX ? id : 0;
}

/* The g whose stack is in use; its goid is 0 where that is the scheduler's own. */
static __always_inline __u64 g_of_thread(const struct go_layout *go, struct task_struct *task)
{
	return read_word(task->thread.fsbase + (__s64)go->tls_offset);
}

/* The goroutine behind the scheduler's stack: C code and the runtime itself run there. */
static __always_inline __u64 current_goroutine(const struct go_layout *go, __u64 g)
{
	__u64 m = read_word(g + G_M_AT);

	return m ? read_word(m + go->curg_at) : 0;
}

static __always_inline void key_of(struct coroutine_key *key, struct task_struct *task,
				   __u64 number)
{
	key->leader_start_ns = task->group_leader->start_boottime;
	key->tgid = task->tgid;
	key->exec_count = task->self_exec_id;
	key->number = number;
}

static __always_inline void trace_line(struct coroutine_birth *line, struct task_struct *task,
				       __u64 id, bool is_given)
{
	struct coroutine_state *state;
	struct coroutine_key key;

	key_of(&key, task, id);
	for (int i = 0; i < COROUTINE_LINE; i++) {
		line[i].coroutine = key.number;
		line[i].born_ns = 0;
		state = key.number ? bpf_map_lookup_elem(&coroutines, &key) : NULL;
		key.number = 0;
		if (!state)
			continue;
		line[i].born_ns = i || !is_given ? state->born_ns : state->given.given_ns;
		key.number = i || !is_given ? state->parent : state->given.giver;
	}
}

/* What a coroutine does for a connection that many requests share. */
struct told_task {
	__u64 object;
	__u32 stream;
	__u32 what; /* enum coroutine_task */
};

/* Says who started a coroutine, who started that, as far as it is known, and what it does. */
static __always_inline void tell_coroutine_task(struct task_struct *task, __u64 id,
						const struct told_task *does)
{
	struct coroutine_birth line[COROUTINE_LINE];
	struct coroutine_event *e;

	trace_line(line, task, id, does->what == COROUTINE_TASK_GIVEN);
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_FULL);
		return;
	}
	fill_header(&e->header, sizeof(*e), EVENT_COROUTINE, bpf_ktime_get_boot_ns(), task, 0);
	__builtin_memcpy(e->line, line, sizeof(line));
	e->object = does->object;
	e->stream = does->stream;
	e->task = does->what;
	bpf_ringbuf_submit(e, wakeup_flag());
}

/* What a coroutine works on, which a channel gave to it; nothing if channels are not followed. */
static __always_inline void tell_given(struct coroutine_state *state, const struct go_layout *go,
				       struct task_struct *task, __u64 id)
{
	struct told_task given = { .what = COROUTINE_TASK_GIVEN };

	if (!go->channels_to && state->rounds) {
		state->rounds = 0;
		state->given.giver = 0;
		state->given_untold = 1;
	}
	if (!state->given_untold)
		return;
	state->given_untold = 0;
	given.stream = state->is_looping;
	tell_coroutine_task(task, id, &given);
}

static __always_inline void tell_coroutine(struct task_struct *task, __u64 id)
{
	struct told_task nothing = {};

	tell_coroutine_task(task, id, &nothing);
}

/* What the goroutine does, by the function it was started with. */
static __always_inline void find_role(struct coroutine_state *state, const struct go_layout *go,
				      __u64 g, __u32 tgid)
{
	struct go_function function = { .tgid = tgid };
	struct go_function_role *role;
	__u64 stack_end;

	function.entry = read_word(g + go->startpc_at);
	role = bpf_map_lookup_elem(&go_functions, &function);
	if (!role)
		return;
	state->role = role->role;
	if (role->role != GO_ROLE_CALLER)
		return;
	stack_end = read_word(g + G_STACK_HI_AT);
	state->receiver = read_word(stack_end - role->receiver_at);
}

/* State of a goroutine, which is created at the first meeting. */
static __always_inline struct coroutine_state *know(const struct go_layout *go, __u64 g, __u64 id,
						    struct task_struct *task)
{
	struct coroutine_state fresh = {}, *state;
	struct coroutine_key key;

	key_of(&key, task, id);
	state = bpf_map_lookup_elem(&coroutines, &key);
	if (!state) {
		if (go->parent_at)
			fresh.parent = read_word(g + go->parent_at);
		fresh.born_ns = bpf_ktime_get_boot_ns();
		bpf_map_update_elem(&coroutines, &key, &fresh, BPF_NOEXIST);
		state = bpf_map_lookup_elem(&coroutines, &key);
	}
	return state;
}

/* The same; it is told once. */
static __always_inline struct coroutine_state *meet(const struct go_layout *go, __u64 g, __u64 id,
						    struct task_struct *task)
{
	struct coroutine_state *state = know(go, g, id, task);

	if (!state || state->told)
		return state;
	state->told = 1;
	find_role(state, go, g, task->tgid);
	if (state->role == GO_ROLE_OWN)
		tell_coroutine(task, id);
	return state;
}

/* The slow half of this_coroutine: another goroutine than the last one on this thread. */
static __noinline __u64 met_coroutine(struct thread_state *thread, __u64 g, __u64 id)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct coroutine_state *state = meet(&thread->go, g, id, task);
	struct coroutine_key key;
	__u64 *caller;

	thread->coroutine = thread->go.channels_to ? 0 : id;
	thread->acts_for = id;
	if (state)
		tell_given(state, &thread->go, task, id);
	if (!state || state->role == GO_ROLE_OWN)
		return id;
	if (state->role == GO_ROLE_PARENT) {
		if (state->parent)
			thread->acts_for = state->parent;
		return thread->acts_for;
	}
	thread->coroutine = 0; /* its caller changes: look at each event */
	key_of(&key, task, state->receiver);
	caller = bpf_map_lookup_elem(&callers, &key);
	return caller ? *caller : id;
}

/* The coroutine on whose behalf the current thread acts; 0 when it is not known. */
static __always_inline __u64 this_coroutine(struct thread_state *thread, struct task_struct *task)
{
	__u64 g, id;

	if (!thread->go.goid_at)
		return 0;
	g = g_of_thread(&thread->go, task);
	id = goid_of(&thread->go, g);
	if (!id && g) {
		g = current_goroutine(&thread->go, g);
		id = goid_of(&thread->go, g);
	}
	if (!id)
		return 0;
	return id == thread->coroutine ? thread->acts_for : met_coroutine(thread, g, id);
}

/*
 * runtime.newproc1 has returned, on the scheduler's stack: its result is the g of a new goroutine,
 * and the thread's current one has started it.
 */
static __always_inline int goroutine_spawned(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct coroutine_state fresh = {};
	struct coroutine_key key;
	__u32 tgid = task->tgid;
	struct go_layout *go = bpf_map_lookup_elem(&go_programs, &tgid);
	__u64 g, started;

	if (!go || control.paused)
		return 0;
	g = g_of_thread(go, task);
	started = go->spawn_result_at ? read_word(ctx->sp + go->spawn_result_at) : ctx->ax;
	key_of(&key, task, goid_of(go, started));
	if (!g || !key.number)
		return 0;
	fresh.parent = goid_of(go, current_goroutine(go, g));
	fresh.born_ns = bpf_ktime_get_boot_ns();
	bpf_map_update_elem(&coroutines, &key, &fresh, BPF_ANY);
	return 0;
}

/*
 * A goroutine that does no I/O itself is at a function by which it passes work on: who started it
 * is noted, so that the line from those that it starts does not end here.
 */
static __always_inline int goroutine_passed(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_state *thread;

	if (control.paused)
		return 0;
	thread = this_thread(task);
	if (thread && thread_wanted(thread, task))
		this_coroutine(thread, task);
	return 0;
}

/* A word of the arguments of a function at its first byte, the receiver first. */
static __always_inline __u64 go_argument(struct pt_regs *ctx, const struct go_layout *go, __u32 n)
{
	if (go->stack_args)
		return read_word(ctx->sp + 8 + 8 * n);
	switch (n) {
	case 0:
		return ctx->ax;
	case 1:
		return ctx->bx;
	case 2:
		return ctx->cx;
	default:
		return ctx->di;
	}
}

/* A method of an object that other goroutines serve is called: they act for the caller from now. */
static __always_inline int object_called(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_state *thread;
	struct coroutine_key key;
	__u64 id;

	if (control.paused)
		return 0;
	thread = this_thread(task);
	if (!thread || !thread_wanted(thread, task) || !thread->go.goid_at)
		return 0;
	id = this_coroutine(thread, task);
	if (!id)
		return 0;
	key_of(&key, task, go_argument(ctx, &thread->go, 0));
	bpf_map_update_elem(&callers, &key, &id, BPF_ANY);
	return 0;
}

#endif
