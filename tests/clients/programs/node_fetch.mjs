const [address, key, secret, method, args, result_type, lang] = process.argv.slice(2);

const answer = await fetch(`${address}?key=${encodeURIComponent(key)}`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ secret, method, _o_args: args, result_type, lang }),
  signal: AbortSignal.timeout(60_000),
});
const isJson = result_type.startsWith("json");
console.log(isJson ? JSON.stringify(await answer.json()) : await answer.text());
console.log(answer.status);
