// SPDX-License-Identifier: Apache-2.0
// A BPF map by its file descriptor: look up, update, delete.

import { BpfError, errnoText } from "./bpf_error.ts";
import type { Libbpf } from "./libbpf.ts";

const ENOENT = 2;

/** Keys and values are raw bytes of the map's sizes; the descriptor belongs to the BPF object. */
export class BpfMap {
  readonly #libbpf: Libbpf;

  constructor(libbpf: Libbpf, readonly fd: number, readonly name: string) {
    this.#libbpf = libbpf;
  }

  /** Fills `value` and returns true, or returns false when there is no such key. */
  lookup(key: ArrayBufferView<ArrayBuffer>, value: ArrayBufferView<ArrayBuffer>): boolean {
    const result = this.#libbpf.call.bpf_map_lookup_elem(this.fd, key, value);
    if (result === -ENOENT) return false;
    this.#check(result, "bpf_map_lookup_elem", "read");
    return true;
  }

  update(key: ArrayBufferView<ArrayBuffer>, value: ArrayBufferView<ArrayBuffer>): void {
    const result = this.#libbpf.call.bpf_map_update_elem(this.fd, key, value, 0n);
    this.#check(result, "bpf_map_update_elem", "write");
  }

  /** True when the key was there. */
  delete(key: ArrayBufferView<ArrayBuffer>): boolean {
    const result = this.#libbpf.call.bpf_map_delete_elem(this.fd, key);
    if (result === -ENOENT) return false;
    this.#check(result, "bpf_map_delete_elem", "delete from");
    return true;
  }

  #check(result: number, call: string, verb: string): void {
    if (result >= 0) return;
    throw new BpfError(`Cannot ${verb} map ${this.name}: ${errnoText(-result)}`, -result, call);
  }
}
