// SPDX-License-Identifier: Apache-2.0
// Kafka's APIs by key: name, highest version known of, first version with flexible encoding.

export interface Api {
  readonly name: string;
  readonly versionMax: number;
  /** From this version on: compact lengths and tagged fields. */
  readonly flexibleFrom: number;
}

const NEVER = 1_000;

/**
 * key name highest flexible-from, as the protocol guide lists them; some room for later versions.
 */
const TABLE = `
0 Produce 13 9|1 Fetch 18 12|2 ListOffsets 11 6|3 Metadata 13 9|4 LeaderAndIsr 7 4|5 StopReplica 4 2
6 UpdateMetadata 8 6|7 ControlledShutdown 3 3|8 OffsetCommit 10 8|9 OffsetFetch 10 6
10 FindCoordinator 6 3|11 JoinGroup 9 6|12 Heartbeat 4 4|13 LeaveGroup 5 4|14 SyncGroup 5 4
15 DescribeGroups 6 5|16 ListGroups 5 3|17 SaslHandshake 1 -|18 ApiVersions 4 3|19 CreateTopics 7 5
20 DeleteTopics 6 4|21 DeleteRecords 2 2|22 InitProducerId 6 2|23 OffsetForLeaderEpoch 4 4
24 AddPartitionsToTxn 5 3|25 AddOffsetsToTxn 4 3|26 EndTxn 5 3|27 WriteTxnMarkers 2 1
28 TxnOffsetCommit 5 3|29 DescribeAcls 3 2|30 CreateAcls 3 2|31 DeleteAcls 3 2
32 DescribeConfigs 4 4|33 AlterConfigs 2 2|34 AlterReplicaLogDirs 2 2|35 DescribeLogDirs 5 2
36 SaslAuthenticate 2 2|37 CreatePartitions 3 2|38 CreateDelegationToken 3 2
39 RenewDelegationToken 2 2|40 ExpireDelegationToken 2 2|41 DescribeDelegationToken 3 2
42 DeleteGroups 2 2|43 ElectLeaders 2 2|44 IncrementalAlterConfigs 1 1
45 AlterPartitionReassignments 1 0|46 ListPartitionReassignments 0 0|47 OffsetDelete 0 -
48 DescribeClientQuotas 1 1|49 AlterClientQuotas 1 1|50 DescribeUserScramCredentials 0 0
51 AlterUserScramCredentials 0 0|52 Vote 2 0|53 BeginQuorumEpoch 1 1|54 EndQuorumEpoch 1 1
55 DescribeQuorum 2 0|56 AlterPartition 3 0|57 UpdateFeatures 2 0|58 Envelope 0 0
59 FetchSnapshot 1 0|60 DescribeCluster 2 0|61 DescribeProducers 0 0|62 BrokerRegistration 4 0
63 BrokerHeartbeat 1 0|64 UnregisterBroker 0 0|65 DescribeTransactions 0 0|66 ListTransactions 2 0
67 AllocateProducerIds 0 0|68 ConsumerGroupHeartbeat 1 0|69 ConsumerGroupDescribe 1 0
70 ControllerRegistration 0 0|71 GetTelemetrySubscriptions 0 0|72 PushTelemetry 0 0
73 AssignReplicasToDirs 0 0|74 ListConfigResources 1 0|75 DescribeTopicPartitions 0 0
76 ShareGroupHeartbeat 1 0|77 ShareGroupDescribe 1 0|78 ShareFetch 2 0|79 ShareAcknowledge 2 0
80 AddRaftVoter 1 0|81 RemoveRaftVoter 0 0|82 UpdateRaftVoter 0 0
83 InitializeShareGroupState 0 0|84 ReadShareGroupState 0 0|85 WriteShareGroupState 1 0
86 DeleteShareGroupState 0 0|87 ReadShareGroupStateSummary 1 0|88 StreamsGroupHeartbeat 0 0
89 StreamsGroupDescribe 0 0|90 DescribeShareGroupOffsets 1 0|91 AlterShareGroupOffsets 0 0
92 DeleteShareGroupOffsets 0 0
`;

export const APIS: ReadonlyMap<number, Api> = new Map(
  TABLE.trim().split(/[|\n]/).map((row) => {
    const [key, name = "", highest, flexible] = row.trim().split(" ");
    return [Number(key), {
      name,
      versionMax: Number(highest),
      flexibleFrom: flexible === "-" ? NEVER : Number(flexible),
    }];
  }),
);

export const isFlexible = (key: number, version: number): boolean =>
  version >= (APIS.get(key)?.flexibleFrom ?? NEVER);

/** Error codes that are told as the client's doing; all others but 0 are the server's. */
export const CLIENT_ERRORS: ReadonlySet<number> = new Set([
  ...[1, 2, 3, 4, 10, 12, 17, 18, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36],
  ...[
    37,
    38,
    39,
    40,
    42,
    43,
    44,
    45,
    46,
    47,
    48,
    49,
    53,
    54,
    58,
    61,
    62,
    65,
    66,
    69,
    79,
    82,
    87,
    91,
  ],
]);
