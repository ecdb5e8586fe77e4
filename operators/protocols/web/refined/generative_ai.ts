// SPDX-License-Identifier: Apache-2.0
// Language models over HTTP: OpenAI and what imitates it, Anthropic, Gemini, Bedrock, Ollama.
// The model stands in the body or in the path; tokens are counted at the end of the answer, which
// may be a stream of events.

import type { Fields } from "../../../wire/protocol.ts";
import { type Carried, refineProtocol } from "../../../wire/refinement.ts";

const FIELDS = {
  ai_provider: { type: "string", otel: "gen_ai.provider.name", doc: "whose API it is" },
  ai_operation: {
    type: "string",
    otel: "gen_ai.operation.name",
    doc: "chat, text_completion, embeddings …",
  },
  model: { type: "string", otel: "gen_ai.request.model", doc: "model that is asked for" },
  streamed: { type: "boolean", doc: "the answer is asked for as a stream" },
  response_model: { type: "string", otel: "gen_ai.response.model", doc: "model that answered" },
  response_id: { type: "string", otel: "gen_ai.response.id", doc: "id of the answer" },
  finish_reason: {
    type: "string",
    otel: "gen_ai.response.finish_reasons",
    doc: "why the answer ended: stop, length, tool_calls …",
  },
  input_tokens: {
    type: "number",
    otel: "gen_ai.usage.input_tokens",
    doc: "tokens of the request, as the answer counts them",
  },
  output_tokens: {
    type: "number",
    otel: "gen_ai.usage.output_tokens",
    doc: "tokens of the answer, as it counts them",
  },
} as const satisfies Fields;

/** By the end of the path. A word that others use as well needs a model in the body. */
const OPERATIONS: readonly [path: RegExp, operation: string, provider: string, sure: boolean][] = [
  [/\/chat\/completions$/, "chat", "openai", true],
  [/\/v\d\w*\/completions$|\/deployments\/[^/]+\/completions$/, "text_completion", "openai", false],
  [/\/embeddings$/, "embeddings", "openai", false],
  [/\/v\d\w*\/responses$/, "chat", "openai", false],
  [/\/v\d\w*\/images\/generations$/, "image_generation", "openai", false],
  [/\/v\d\w*\/audio\/(?:speech|transcriptions|translations)$/, "audio", "openai", false],
  [/\/v\d\w*\/(?:moderations|rerank)$/, "moderation", "openai", false],
  [/\/v1\/messages$/, "chat", "anthropic", false],
  [/\/v1\/complete$/, "text_completion", "anthropic", false],
  [/^\/api\/chat$/, "chat", "ollama", false],
  [/^\/api\/generate$/, "text_completion", "ollama", false],
  [/^\/api\/embed(?:dings)?$/, "embeddings", "ollama", false],
  [/\/models\/[^/:]+:(?:streamG|g)enerateContent$/, "generate_content", "gcp.gemini", true],
  [/\/models\/[^/:]+:(?:batchE|e)mbedContents?$/, "embeddings", "gcp.gemini", true],
  [
    /^\/model\/[^/]+\/(?:converse|invoke)(?:-with-response)?(?:-stream)?$/,
    "chat",
    "aws.bedrock",
    true,
  ],
];

export const generativeAi = refineProtocol({
  name: "generative_ai",
  spec: "https://platform.openai.com/docs/api-reference",
  fields: FIELDS,
  path:
    /\/(?:chat\/completions|completions|embeddings|responses|messages|complete|moderations|rerank|images\/generations|audio\/\w+|api\/(?:chat|generate|embed\w*)|converse\S*|invoke\S*|models\/[^/]+:\w+)$/,
  body: true,
  answer: {
    response_model: /"model(?:Version)?"\s*:\s*"([^"\\]{1,96})"/g,
    response_id: /"id"\s*:\s*"((?:chatcmpl|cmpl|msg|resp)[\w-]{1,96})"/g,
    finish_reason: /"(?:finish_reason|stop_reason|finishReason|done_reason)"\s*:\s*"(\w{1,64})"/g,
    input_tokens:
      /"(?:prompt_tokens|input_tokens|prompt_eval_count|promptTokenCount)"\s*:\s*(\d{1,15})/g,
    output_tokens:
      /"(?:completion_tokens|output_tokens|eval_count|candidatesTokenCount)"\s*:\s*(\d{1,15})/g,
  },

  refine(request) {
    const { method, path, body } = request;
    const found = method === "POST" ? OPERATIONS.find(([end]) => end.test(path)) : undefined;
    if (found === undefined) return null;
    const [, operation, provider, sure] = found;
    const model = modelOf(request);
    if (model === "" && !sure) return null;
    const streamed = /"stream"\s*:\s*true/.test(body) || /stream/i.test(path);
    return {
      endpoint: model === "" ? operation : `${operation} ${model}`,
      fields: {
        ai_provider: providerOf(request, provider),
        ai_operation: operation,
        ...(model !== "" && { model }),
        ...(streamed && { streamed }),
      },
    };
  },
});

/** In the path: Gemini, Bedrock, deployments of Azure; else at the top of the body. */
function modelOf({ path, body }: Carried): string {
  const [, named] = /\/(?:models|deployments|model)\/([^/:]+)(?=[:/])/.exec(path) ?? [];
  return named ?? /"model"\s*:\s*"([^"\\]{1,128})"/.exec(body)?.[1] ?? "";
}

function providerOf({ host, path }: Carried, provider: string): string {
  if (/\/deployments\//.test(path) || /\.azure\.com(?::\d+)?$/.test(host)) return "azure.ai.openai";
  if (/aiplatform\.googleapis\.com/.test(host)) return "gcp.vertex_ai";
  const known = /(?:^|\.)(deepseek|groq|mistral|perplexity|x)\.(?:com|ai)(?::\d+)?$/.exec(host)
    ?.[1];
  if (provider !== "openai" || known === undefined) return provider;
  return known === "mistral" ? "mistral_ai" : known === "x" ? "x_ai" : known;
}
