import http from "node:http";
import https from "node:https";

const [address, key, secret, method, args, result_type, lang] = process.argv.slice(2);
const query = new URLSearchParams({ key, secret, method, _o_args: args, result_type, lang });

// The gateway on this machine speaks HTTP; any other is to be asked by HTTPS.
const { get } = address.startsWith("https:") ? https : http;
get(`${address}?${query}`, { timeout: 60_000 }, (answer) => {
  const chunks = [];
  answer.on("data", (chunk) => chunks.push(chunk)); // a chunk may end amid a character
  answer.on("end", () => {
    const text = Buffer.concat(chunks).toString("utf8");
    console.log(result_type.startsWith("json") ? JSON.stringify(JSON.parse(text)) : text);
    console.log(answer.statusCode);
  });
}).on("error", (error) => { throw error; });
