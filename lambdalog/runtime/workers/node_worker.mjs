// Runs a Node.js function: asks the Runtime API for its next event, calls the handler, posts what came of it.
// The shapes of errors and log lines are those of AWS's own client for Node.js.

import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const PREFIX = "/2018-06-01/runtime";
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const JSON_LINES = process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";
const LOWEST = LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL ?? "TRACE");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1, noDelay: true });
let current = "";

function call(method, where, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const request = http.request({ host, port, method, agent, path: PREFIX + where, headers }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(parts).toString() }));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

// Pipes are written at once on Linux: a line is out before the next instruction.
function write(level, parts) {
  if (LEVELS.indexOf(level) < LOWEST) return;
  const time = new Date().toISOString();
  if (JSON_LINES) {
    const line = { timestamp: time, level, requestId: current };
    const error = parts.find((part) => part instanceof Error);
    line.message = parts.length === 1 && typeof parts[0] === "object" && !error ? parts[0] : format(...parts);
    if (error) Object.assign(line, { errorType: error.name, errorMessage: error.message, stackTrace: stack(error) });
    fs.writeSync(1, JSON.stringify(line) + "\n");
    return;
  }
  fs.writeSync(1, [time, current || "undefined", level, format(...parts).replace(/\n/g, "\r")].join("\t") + "\n");
}

for (const [name, level] of [["log", "INFO"], ["info", "INFO"], ["debug", "DEBUG"], ["warn", "WARN"], ["error", "ERROR"], ["trace", "TRACE"]]) {
  console[name] = (...parts) => write(level, parts);
}

function stack(error) {
  return String(error.stack ?? error).split("\n");
}

function told(error) {
  if (error instanceof Error) {
    return { errorType: error.name, errorMessage: error.message, trace: stack(error) };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

class InitError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

// A handler that AWS's `streamifyResponse` has marked writes its response in pieces, each on its way at once.
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";

function responseStream() {
  let type = "application/octet-stream";
  let request;
  let answered;
  const begin = () => {
    if (request) return request;
    request = http.request({
      host, port, method: "POST", agent, path: `${PREFIX}/invocation/${current}/response`,
      headers: {
        "Content-Type": type,
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked",
        Trailer: `${ERROR_TYPE}, ${ERROR_BODY}`,
      },
    });
    answered = new Promise((resolve, reject) => {
      request.on("error", reject);
      request.on("response", (answer) => answer.resume().on("end", resolve));
    });
    return request;
  };
  const stream = new Writable({
    write: (data, encoding, done) => { begin().write(data, encoding, done); },
    final: (done) => {
      begin().end();
      answered.then(() => done(), done);
    },
  });
  stream.setContentType = (given) => { type = given; };
  stream.begun = () => request !== undefined;
  stream.fail = async (error) => {
    const body = told(error);
    begin().addTrailers({ [ERROR_TYPE]: body.errorType, [ERROR_BODY]: Buffer.from(JSON.stringify(body)).toString("base64") });
    request.end();
    await answered;
  };
  return stream;
}

globalThis.awslambda = {
  streamifyResponse: (handler) => Object.assign(handler, { [STREAMING]: "response" }),
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType("application/vnd.awslambda.http-integration-response");
      stream.write(JSON.stringify(prelude));
      stream.write(Buffer.alloc(8));
      return stream;
    },
  },
};

async function runStreaming(handler, event, headers) {
  const stream = responseStream();
  const finished = new Promise((resolve, reject) => stream.once("finish", resolve).once("error", reject));
  finished.catch(() => {});
  try {
    await handler(event, stream, contextOf(headers, () => {}));
    stream.end();
    await finished;
  } catch (error) {
    if (!stream.begun()) throw error;
    write("ERROR", ["Invoke Error ", JSON.stringify(told(error))]);
    await stream.fail(error);
  }
}

async function load() {
  const named = process.env._HANDLER;
  const folder = path.dirname(named);
  const [file, ...names] = path.basename(named).split(".");
  if (!names.length) throw new InitError("Runtime.MalformedHandlerName", "Bad handler");
  const stem = path.resolve(process.env.LAMBDA_TASK_ROOT, folder, file);
  const found = [".js", ".mjs", ".cjs"].map((suffix) => stem + suffix).find((name) => fs.existsSync(name));
  if (!found) throw new InitError("Runtime.ImportModuleError", `Error: Cannot find module '${path.join(folder, file)}'`);
  let module;
  try {
    module = await import(pathToFileURL(found));
  } catch (error) {
    if (error instanceof SyntaxError) throw new InitError("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw new InitError("Runtime.ImportModuleError", `Error: ${error.message}`);
    }
    throw error;
  }
  for (const start of [module, module.default]) {
    const handler = names.reduce((value, name) => value?.[name], start);
    if (typeof handler === "function") return handler;
  }
  throw new InitError("Runtime.HandlerNotFound", `${named} is undefined or not exported`);
}

function contextOf(headers, settle) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: current,
    clientContext: client ? JSON.parse(client) : undefined,
    getRemainingTimeInMillis: () => deadline - Date.now(),
    succeed: (value) => settle(null, value),
    fail: (error) => settle(error ?? new Error("fail")),
    done: settle,
  };
}

function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const settle = (error, value) => (error ? reject(error) : resolve(value));
    const answer = handler(event, contextOf(headers, settle), settle);
    if (typeof answer?.then === "function") answer.then(resolve, reject);
    else if (answer !== undefined || handler.length < 3) resolve(answer);
  });
}

async function fail(error, kind) {
  const body = told(error);
  write("ERROR", [`${kind} `, JSON.stringify(body)]);
  await call("POST", current ? `/invocation/${current}/error` : "/init/error", JSON.stringify(body));
}

for (const [event, name] of [["uncaughtException", "Uncaught Exception"], ["unhandledRejection", "Unhandled Promise Rejection"]]) {
  process.on(event, async (error) => {
    await fail(event === "unhandledRejection" ? Object.assign(new Error(String(error?.message ?? error)), { name: "Runtime.UnhandledPromiseRejection", stack: error?.stack }) : error, name);
    process.exit(event === "uncaughtException" ? 129 : 128);
  });
}

let handler;
try {
  handler = await load();
} catch (error) {
  await fail(error, "Uncaught Exception");
  process.exit(1);
}
for (;;) {
  const next = await call("GET", "/invocation/next");
  current = next.headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"] ?? "";
  try {
    if (handler[STREAMING]) {
      await runStreaming(handler, JSON.parse(next.body), next.headers);
      continue;
    }
    const answer = JSON.stringify(await run(handler, JSON.parse(next.body), next.headers));
    await call("POST", `/invocation/${current}/response`, answer ?? "null");
  } catch (error) {
    await fail(error, "Invoke Error");
  }
}
