/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every map and every knob. Knobs are constants to the verifier: what is off costs nothing. */
#ifndef SPANDREL_MAPS_BPF_H
#define SPANDREL_MAPS_BPF_H

/* Knobs: user space sets them before the load. */
const volatile __u32 payload_bytes_first = 1024; /* of the first call of a run in one direction */
const volatile __u32 payload_bytes_later = 256;  /* of each later call of that run */
const volatile __u32 pending_bytes_max = 65536;  /* payload of a socket without a verdict */
const volatile __u32 second_bytes_max = 8388608; /* payload per socket and second: any verdict but
						    WHOLE, which has 32 times as much */
const volatile __u8 use_task_storage = 1;        /* 0: hash keyed by thread id (before 5.12) */
const volatile __u8 use_socket_storage = 1;      /* 0: hash keyed by address: portable path */
const volatile __u8 filter_programs = 0;         /* 1: only programs listed in `programs` */
const volatile __u8 filter_comm = 0;             /* 1: only threads whose name is `comm_wanted` */
const volatile __u8 filter_ports = 0;            /* 1: only sockets with a port in `ports` */
const volatile char comm_wanted[COMM_BYTES] = {};

/* mmapped by user space. */
struct control control SEC(".data.control") = { .paused = 1 };

/* Carries all records. User space sets the size before the load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 * 1024 * 1024);
} ring SEC(".maps");

/* State of a socket on the fast path: freed with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

/* State of a socket on the portable path, keyed by the address of its struct sock. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct socket_state);
} sockets_by_address SEC(".maps");

/* State of a thread: freed with the thread. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_state);
} threads SEC(".maps");

/* The same where the kernel has no task storage, keyed by thread id. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct thread_state);
} threads_by_id SEC(".maps");

/* Cookie to enum verdict: written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u32);
} verdicts SEC(".maps");

/* Thread group to enum program_rule; descendants inherit. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

/* Ports to record, host order; only with filter_ports. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16);
	__type(value, __u8);
} ports SEC(".maps");

/* Ports listening when the tracer started: what was accepted there is a server's socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct listening_port);
	__type(value, __u8);
} listening SEC(".maps");

/* Thread group to how its goroutines are found: Go programs only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct go_layout);
} go_programs SEC(".maps");

/* Thread group to how its tasks of asyncio are found: Python programs only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct python_layout);
} python_programs SEC(".maps");

/* Thread group to the cell in which a script in a Node program says for whom it writes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u64);
} node_programs SEC(".maps");

/* Functions whose goroutines act for others. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct go_function);
	__type(value, struct go_function_role);
} go_functions SEC(".maps");

/* Coroutines that did I/O or were seen to start; the longest unused is forgotten. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct coroutine_key);
	__type(value, struct coroutine_state);
} coroutines SEC(".maps");

/* Object that goroutines serve, to the coroutine that called it last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct coroutine_key);
	__type(value, __u64);
} callers SEC(".maps");

/* Address in the buffer of a channel, to on whose behalf what lies there was sent. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct coroutine_key);
	__type(value, struct given);
} in_channels SEC(".maps");

/* What goroutines have received and may hand on, by what is in it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct coroutine_key);
	__type(value, struct held);
} held_elements SEC(".maps");

/* Thread group to how often it passed something through a channel, where that is followed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} channel_uses SEC(".maps");

/* Counters indexed by enum drop_reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DROP_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} drops SEC(".maps");

static __always_inline void count_drop(__u32 reason)
{
	__u64 *count = bpf_map_lookup_elem(&drops, &reason);

	if (count)
		(*count)++;
}

#endif
