/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What goroutines give to one another through channels: a worker that has received something works
 * for whoever sent it.
 *
 * Uprobes stand where the runtime, holding the lock of a channel, puts an element into its buffer,
 * takes one out, or hands one to (or takes it from) a goroutine that waits. So it is exact who gets
 * what of whom, however many send and receive. They stand on calls, which the kernel emulates: that
 * costs half of what a function's first instruction would.
 *
 * Not all that is received is work: a worker may fetch a connection from a channel, or wait for a
 * reply. What it works on is received where the fewest calls lead to: in its outermost loop. One
 * that reads requests itself is given none. And what is handed on as it came, by one that keeps a
 * line of its own, is still whose it was; if it comes back to where it was received, it is a
 * resource that many use, and no work.
 */
#ifndef SPANDREL_GO_CHANNEL_BPF_H
#define SPANDREL_GO_CHANNEL_BPF_H

#define CHAN_BUFFERED_AT 8 /* struct hchan: elements of the buffer */
#define CHAN_BUFFER_AT 16
#define CHAN_ELEMENT_BYTES_AT 24
#define WAITER_ELEMENT_AT 24 /* struct sudog: where to, or from; its first word is the g */
#define TYPE_POINTERS_AT 8 /* struct _type: bytes that may hold pointers; its size comes first */
#define ELEMENT_TYPE_BEFORE 16 /* struct hchan: bytes from elemtype to the index of receiving */
#define ELEMENT_WORDS_MAX 8
#define FRAMES_MAX 24
#define OUTER_FRAMES_MAX 2 /* the first function of a goroutine may be wrapped in another */
#define ROUNDS_OF_WORK_MAX 1
#define HOPS_OF_WORK_MAX 8

/* A word of the arguments at the instruction that calls a function. */
static __always_inline __u64 call_argument(struct pt_regs *ctx, const struct go_layout *go,
					   __u32 n)
{
	return go->stack_args ? read_word(ctx->sp + 8 * n) : go_argument(ctx, go, n);
}

/* State of the thread, if channels of its program are followed; each use is counted. */
static __always_inline struct thread_state *channel_thread(void)
{
	struct thread_state *thread = go_thread();
	__u64 one = 1, *uses;
	__u32 tgid;

	if (!thread || !thread->go.channels_to)
		return NULL;
	tgid = bpf_get_current_pid_tgid() >> 32;
	uses = bpf_map_lookup_elem(&channel_uses, &tgid);
	if (uses)
		__sync_fetch_and_add(uses, 1);
	else
		bpf_map_update_elem(&channel_uses, &tgid, &one, BPF_NOEXIST);
	return thread;
}

static __always_inline struct coroutine_state *state_of(struct task_struct *task, __u64 id)
{
	struct coroutine_key key;

	key_of(&key, task, id);
	return id ? bpf_map_lookup_elem(&coroutines, &key) : NULL;
}

/* It is given no work: it reads requests itself, or serves a connection for others. */
static __always_inline bool is_given_none(struct thread_state *thread, struct task_struct *task,
					  __u64 g)
{
	struct coroutine_state *state = state_of(task, goid_of(&thread->go, g));

	return state && (state->reads || state->role != GO_ROLE_OWN);
}

/* It reads requests, or was started by one that does. */
static __always_inline bool serves_requests(struct task_struct *task, __u64 id)
{
	struct coroutine_state *state = state_of(task, id);

	if (!state || state->reads)
		return state;
	state = state_of(task, state->parent);
	return state && state->reads;
}

/*
 * A number for what is in an element, so that it is known again; 0 if it has no pointers: equal
 * numbers and flags are common.
 */
__noinline __u64 element_number(__u64 type, __u64 element)
{
	__u64 words[ELEMENT_WORDS_MAX] = {}, number = 0;
	__u64 bytes = read_word(type);

	if (!element || !bytes || !read_word(type + TYPE_POINTERS_AT))
		return 0;
	if (bytes > sizeof(words))
		bytes = sizeof(words);
	asm volatile("" : "+r"(bytes));
	if (bytes > sizeof(words) || bpf_probe_read_user(words, bytes, (void *)element))
		return 0;
	for (int i = 0; i < ELEMENT_WORDS_MAX; i++)
		number = (number ^ words[i]) * 0x9e3779b97f4a7c15ULL + (number >> 29);
	return number;
}

/*
 * On whose behalf a goroutine sends: its own, or that of whoever gave it what it works on. What one
 * that serves a request has received once is a reply.
 */
__noinline int given_by(struct thread_state *thread, __u64 g, __u64 element,
			       struct given *given)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct coroutine_state *state;
	struct coroutine_key key;
	struct held *held;
	__u64 id;

	if (!thread || !given)
		return 0;
	__builtin_memset(given, 0, sizeof(*given));
	given->given_ns = bpf_ktime_get_boot_ns();
	id = goid_of(&thread->go, g);
	state = id ? know(&thread->go, g, id, task) : NULL;
	if (!state)
		return 0;
	given->giver = id;
	if (state->reads)
		return 0;
	key_of(&key, task, element);
	held = element ? bpf_map_lookup_elem(&held_elements, &key) : NULL;
	if (held && held->holder == id) {
		*given = held->given;
		given->hops++;
		return 0;
	}
	if (!state->rounds)
		return 0;
	if (state->rounds == 1 && serves_requests(task, state->parent))
		return 0;
	*given = state->given;
	given->hops = 0;
	given->rounds = 0;
	return 0;
}

struct receive_place {
	__u64 site; /* where a function of the program goes on when it has received */
	__u32 frames;
};

/* Follows the frames of a goroutine, from one within the runtime out to its first function. */
static __always_inline void find_place(struct receive_place *place, const struct go_layout *go,
				       __u64 frame)
{
	__u64 words[2]; /* the frame outside, where to return to */

	for (int i = 0; i < FRAMES_MAX; i++) {
		if (bpf_probe_read_user(words, sizeof(words), (void *)frame))
			return;
		if (place->site)
			place->frames++;
		else if (words[1] < go->channels_from || words[1] >= go->channels_to)
			place->site = words[1];
		if (words[0] <= frame)
			return;
		frame = words[0];
	}
}

struct receipt {
	__u64 g;
	__u64 frame;
	__u64 element; /* number of what is in it */
	struct given given;
};

/* Who has received it may hand it on. If it was handed on to here, and has been here: a round. */
static __always_inline void note_held(struct task_struct *task, __u64 id, __u64 site,
				      struct receipt *what)
{
	struct held held = { .holder = id, .site = site }, *before;
	struct coroutine_key key;

	key_of(&key, task, what->element);
	before = bpf_map_lookup_elem(&held_elements, &key);
	if (before && before->site == site && what->given.hops)
		what->given.rounds++;
	held.given = what->given;
	bpf_map_update_elem(&held_elements, &key, &held, BPF_ANY);
}

/* A goroutine has received something: what it works on now, if that is where its work comes. */
__noinline int received(struct thread_state *thread, struct receipt *what)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct receive_place place = {};
	struct coroutine_state *state;
	bool is_sure;
	__u64 id;

	if (!thread || !what)
		return 0;
	id = goid_of(&thread->go, what->g);
	state = id ? know(&thread->go, what->g, id, task) : NULL;
	if (!state || state->reads)
		return 0;
	find_place(&place, &thread->go, what->frame);
	if (!place.site)
		return 0;
	if (what->element)
		note_held(task, id, place.site, what);
	if (what->given.rounds > ROUNDS_OF_WORK_MAX || what->given.hops > HOPS_OF_WORK_MAX)
		return 0;
	is_sure = state->work_is_sure || serves_requests(task, what->given.giver);
	if (place.site != state->work_site || place.frames != state->work_frames) {
		bool is_outer = !state->work_site || place.frames < state->work_frames;
		bool is_likelier = place.frames == state->work_frames && is_sure &&
				   !state->work_is_sure;

		if (!is_outer && !is_likelier)
			return 0;
		state->work_site = place.site;
		state->work_frames = place.frames;
		state->rounds = 0;
	}
	state->work_is_sure = is_sure;
	state->given = what->given;
	state->given_untold = 1;
	state->is_looping = what->element && place.frames <= OUTER_FRAMES_MAX;
	if (state->rounds < 2)
		state->rounds++;
	return 0;
}

static __always_inline bool on_stack(__u64 g, __u64 address)
{
	return address >= read_word(g) && address < read_word(g + G_STACK_HI_AT);
}

/* Of typedmemmove(type, to, from) */
static __always_inline __u64 element_of(struct pt_regs *ctx, struct thread_state *thread)
{
	return element_number(call_argument(ctx, &thread->go, 0),
			      call_argument(ctx, &thread->go, 2));
}

/* typedmemmove(type, to, from), into a buffer, or by select out of one. */
static __always_inline int channel_put(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_state *thread = channel_thread();
	struct coroutine_key slot;
	struct given given = {};
	__u64 g, to;

	if (!thread || !read_word(call_argument(ctx, &thread->go, 0)))
		return 0;
	g = g_of_thread(&thread->go, task);
	to = call_argument(ctx, &thread->go, 1);
	if (on_stack(g, to))
		return 0;
	given_by(thread, g, element_of(ctx, thread), &given);
	key_of(&slot, task, to);
	bpf_map_update_elem(&in_channels, &slot, &given, BPF_ANY);
	return 0;
}

static __always_inline void look_into(struct task_struct *task, __u64 address, struct given *given)
{
	struct coroutine_key slot;
	struct given *found;

	key_of(&slot, task, address);
	found = bpf_map_lookup_elem(&in_channels, &slot);
	if (found)
		*given = *found;
}

/* typedmemclr(type, at): what lies in a buffer has just been copied out. */
static __always_inline int channel_take(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_state *thread = channel_thread();
	struct receipt receipt = { .frame = ctx->bp };
	__u64 at, type;

	if (!thread)
		return 0;
	receipt.g = g_of_thread(&thread->go, task);
	at = call_argument(ctx, &thread->go, 1);
	if (on_stack(receipt.g, at)) /* the channel is closed */
		return 0;
	if (is_given_none(thread, task, receipt.g))
		return 0;
	type = call_argument(ctx, &thread->go, 0);
	if (read_word(type))
		look_into(task, at, &receipt.given);
	receipt.element = element_number(type, at);
	return received(thread, &receipt);
}

static __always_inline __u16 element_bytes(__u64 channel)
{
	return read_word(channel + CHAN_ELEMENT_BYTES_AT);
}

static __always_inline __u64 element_type(__u64 channel, const struct go_layout *go)
{
	return read_word(channel + go->receive_index_at - ELEMENT_TYPE_BEFORE);
}

/* send(channel, waiter, from): a goroutine that waits receives what the running one sends. */
static __always_inline int channel_send(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_state *thread = channel_thread();
	struct receipt receipt = {};
	__u64 channel, waiter;

	if (!thread)
		return 0;
	channel = call_argument(ctx, &thread->go, 0);
	waiter = call_argument(ctx, &thread->go, 1);
	receipt.g = read_word(waiter);
	if (is_given_none(thread, task, receipt.g))
		return 0;
	receipt.frame = read_word(receipt.g + thread->go.saved_frame_at);
	if (!element_bytes(channel) || !read_word(waiter + WAITER_ELEMENT_AT))
		return received(thread, &receipt);
	receipt.element = element_number(element_type(channel, &thread->go),
					 call_argument(ctx, &thread->go, 2));
	given_by(thread, g_of_thread(&thread->go, task), receipt.element, &receipt.given);
	return received(thread, &receipt);
}

/*
 * recv(channel, waiter, to): the running goroutine receives what one sends that waits, or the first
 * of a full buffer, into whose place comes what that one sends.
 */
static __always_inline int channel_receive(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_state *thread = channel_thread();
	struct receipt receipt = { .frame = ctx->bp };
	struct coroutine_key slot;
	__u64 channel, waiter, type, element, at;
	struct given given = {};
	__u16 bytes;

	if (!thread)
		return 0;
	receipt.g = g_of_thread(&thread->go, task);
	channel = call_argument(ctx, &thread->go, 0);
	bytes = element_bytes(channel);
	if (!bytes)
		return received(thread, &receipt);
	if (!read_word(channel + CHAN_BUFFERED_AT) && is_given_none(thread, task, receipt.g))
		return 0;
	waiter = call_argument(ctx, &thread->go, 1);
	type = element_type(channel, &thread->go);
	element = element_number(type, read_word(waiter + WAITER_ELEMENT_AT));
	given_by(thread, read_word(waiter), element, &given);
	if (read_word(channel + CHAN_BUFFERED_AT)) {
		at = read_word(channel + CHAN_BUFFER_AT) +
		     bytes * read_word(channel + thread->go.receive_index_at);
		look_into(task, at, &receipt.given);
		receipt.element = element_number(type, at);
		key_of(&slot, task, at);
		bpf_map_update_elem(&in_channels, &slot, &given, BPF_ANY);
	} else if (call_argument(ctx, &thread->go, 2)) {
		receipt.given = given;
		receipt.element = element;
	}
	return received(thread, &receipt);
}

/* A message was read: who reads requests is given none. */
static __always_inline void note_reading(const struct thread_state *thread,
					 struct task_struct *task, const struct message *m,
					 __u8 role)
{
	struct coroutine_state *state;

	if (!thread->go.channels_to || m->direction != DIRECTION_INGRESS || role != ROLE_SERVER ||
	    !m->length)
		return;
	state = state_of(task, m->coroutine);
	if (!state || state->reads)
		return;
	state->reads = 1;
	state->rounds = 0;
}

#endif
