// SPDX-License-Identifier: Apache-2.0
// Does a text begin as statements of SQL do? For probes, which see no more than that.

const START =
  /^\s*(?:\/[*]|--|\(|(?:select|insert|update|delete|replace|set|show|use|begin|start|commit|rollback|create|alter|drop|call|with|truncate|explain|desc|describe|lock|unlock|load|grant|kill|do|flush|savepoint|release|xa|analyze|optimize|prepare|execute|handler|values|table)\b)/i;

export const startsStatement = (text: string): boolean => START.test(text);
