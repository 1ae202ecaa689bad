async ([address, key, secret, method, args, result_type, lang]) => {
  const query = new URLSearchParams({ key, secret, method, _o_args: args, result_type, lang });
  const answer = await fetch(`${address}?${query}`);
  let text = await answer.text();
  if (result_type.startsWith("json")) {
    text = JSON.stringify(JSON.parse(text));
  } else if (result_type === "xml") {
    const root = new DOMParser().parseFromString(text, "application/xml").documentElement;
    const of = (path) => root.querySelector(`:scope > ${path}`)?.textContent ?? "";
    text = JSON.stringify({
      error_code: of("error_code"),
      error: of("error"),
      reason: of("reason"),
      text: of("response > choices > item > text") || of("response > error > message"),
    });
  }
  return `${text}\n${answer.status}`;
}
