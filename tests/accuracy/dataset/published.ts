// SPDX-License-Identifier: Apache-2.0
// What others reach on the same data, end to end in percent, as published or measured with the
// authors' code. TraceWeaver is given the true order of calls there; vPath sees who answered whom.

export const PUBLISHED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  hotel_load25: { WAP5: 80.0, FCFS: 92.3, vPath: 94.3, TraceWeaver: 99.8 },
  hotel_load75: { WAP5: 41.2, FCFS: 64.8, vPath: 83.8, TraceWeaver: 99.4 },
  hotel_load125: { WAP5: 25.1, FCFS: 54.8, vPath: 73.2, TraceWeaver: 98.1 },
  node_load25: { WAP5: 82.6, FCFS: 100, vPath: 65.2, TraceWeaver: 97.8 },
  node_load75: { WAP5: 78.4, FCFS: 100, vPath: 64.0, TraceWeaver: 97.7 },
  node_load125: { WAP5: 75.9, FCFS: 100, vPath: 64.3, TraceWeaver: 97.3 },
  media_load25: { WAP5: 88.5, FCFS: 91.6, vPath: 79.5, TraceWeaver: 96.1 },
  media_load75: { WAP5: 73.0, FCFS: 78.5, vPath: 52.1, TraceWeaver: 91.7 },
  media_load125: { WAP5: 59.0, FCFS: 64.8, vPath: 34.4, TraceWeaver: 85.2 },
  nodeio_0: { WAP5: 82.5, FCFS: 100, vPath: 74.2, TraceWeaver: 95.9 },
  "ob-2022-08-22": { "latest start": 34.1 },
};
