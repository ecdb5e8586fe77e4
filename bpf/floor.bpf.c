/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The least that a tracer does which joins enter and exit of a call in the kernel: one hash update
 * and one look-up with delete. Measures what our programs cost in units of this; records nothing.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct open_write {
	__u64 start_ns;
	__u64 args[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u64);
	__type(value, struct open_write);
} open_writes SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_write")
int floor_enter(struct trace_event_raw_sys_enter *ctx)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct open_write w = { .args = { ctx->args[0], ctx->args[1], ctx->args[2] } };

	bpf_map_update_elem(&open_writes, &key, &w, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_write")
int floor_exit(struct trace_event_raw_sys_exit *ctx)
{
	__u64 key = bpf_get_current_pid_tgid();

	if (bpf_map_lookup_elem(&open_writes, &key))
		bpf_map_delete_elem(&open_writes, &key);
	return 0;
}
