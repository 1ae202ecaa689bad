/*
 * obAPI: calls a gateway from a web page, without a secret in the page.
 *
 *   obAPI.config({api_url, api_key, lang, timestamp, nonceStr, signature, jsApiList, debug});
 *   obAPI.exec({api_type, api_name, api_params}, callback);    // or: await obAPI.exec({…})
 *
 * A signature is the site's own server's, for one call (docs/how-to/browser.md). `signature` is either a text, for the one
 * call that the server knew when it wrote the page, together with its `timestamp` and `nonceStr`; or a function that
 * gets a call and asks the server for {timestamp, nonceStr, signature}.
 */
(function () {
  "use strict";

  const TRIES = 3;
  const LONGEST_WAIT = 10; // seconds
  const CHINA = 8 * 3600; // a dateline is in the gateway's time zone
  let settings = null;
  let isUsed = false;

  class ObApiError extends Error {
    constructor(answer) {
      super([answer.error_code, answer.error, answer.reason].filter(Boolean).join(" "));
      this.name = "ObApiError";
      this.code = answer.error_code;
      this.answer = answer;
    }
  }

  function mistake(text) {
    return new TypeError("obAPI: " + text);
  }

  function log(...words) {
    if (settings.debug) console.log("obAPI", ...words);
  }

  function config(given) {
    for (const name of ["api_secret", "secret"])
      if (name in given) throw mistake(name + " in a page is everybody's: sign on your own server");
    for (const name of ["api_url", "api_key", "signature"])
      if (!given[name]) throw mistake("config lacks " + name);
    if (typeof given.signature !== "function" && !(given.timestamp && given.nonceStr))
      throw mistake("a signature that is a text needs its timestamp and nonceStr");
    settings = { lang: "cn", jsApiList: [], debug: false, ...given };
    isUsed = false;
    log("config", settings.api_url, settings.lang);
  }

  /* Everything that is signed and sent, as texts: what is no text already is sent as its JSON. */
  function paramsOf(call) {
    const params = {};
    for (const [name, value] of Object.entries(call.api_params || {}))
      if (value !== undefined) params[name] = typeof value === "string" ? value : JSON.stringify(value);
    return { ...params, key: settings.api_key, api_name: call.api_name, lang: params.lang || settings.lang };
  }

  async function proofOf(call, params) {
    let proof = settings;
    if (typeof settings.signature === "function")
      proof = await settings.signature({ api_type: call.api_type, api_name: call.api_name, params });
    if (!proof || !Number(proof.timestamp) || !proof.nonceStr || typeof proof.signature !== "string")
      throw mistake("signature gave no {timestamp, nonceStr, signature}");
    const china = new Date((Number(proof.timestamp) + CHINA) * 1000);
    return {
      dateline: china.toISOString().slice(0, 19).replace("T", " "),
      sign: "hmac-sha256:" + proof.nonceStr + ":" + proof.signature,
    };
  }

  function wait(seconds) {
    return new Promise((done) => setTimeout(done, seconds * 1000));
  }

  /* What stands for an answer if there is none: code 4001, a network error. */
  function noAnswer(reason) {
    return { response: [], error: "Network error", reason, error_code: "4001", request_id: "", last_id: "" };
  }

  /* One try: the answer, and the seconds after which another may succeed, undefined if it would not. */
  async function tried(address, params, headers, tries) {
    let http;
    try {
      http = await fetch(address, { method: "POST", headers, body: new URLSearchParams(params), credentials: "omit" });
    } catch {
      const page = location.origin;
      const reason = "no answer from " + settings.api_url + ": it cannot be reached, or its origins lack " + page;
      return [noAnswer(reason), tries / 2];
    }
    try {
      const answer = await http.json();
      if (typeof answer.error_code !== "string") throw mistake("no envelope");
      const seconds = Number(http.headers.get("Retry-After") || NaN);
      return [answer, seconds <= LONGEST_WAIT ? seconds : undefined];
    } catch {
      return [noAnswer("HTTP " + http.status + " from " + settings.api_url + ", which is no answer in JSON")];
    }
  }

  async function answerTo(call) {
    const name = call.api_type + "/" + call.api_name;
    const isOnce = typeof settings.signature !== "function";
    const path = [call.api_type, call.api_name].map(encodeURIComponent).join("/");
    const address = settings.api_url.replace(/\/+$/, "") + "/" + path + "/";
    const params = paramsOf(call);
    const { key, api_name, ...body } = params; // these two are in the address
    // A call that is tried again under the same key is made, and charged, once.
    const headers = { "Idempotency-Key": newKey() };
    for (let tries = 1; ; tries++) {
      let proof;
      try {
        proof = await proofOf(call, params);
      } catch (error) {
        return noAnswer("the call could not be signed: " + error.message);
      }
      const began = performance.now();
      const target = address + "?key=" + encodeURIComponent(key);
      const [answer, seconds] = await tried(target, { ...body, ...proof }, headers, tries);
      log(name, answer.error_code, answer.request_id, Math.round(performance.now() - began) + " ms", "try " + tries);
      if (isOnce || seconds === undefined || tries === TRIES) return answer;
      await wait(seconds);
    }
  }

  function newKey() {
    return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("-");
  }

  function check(call) {
    if (!settings) throw mistake("config comes before exec");
    if (!call || !call.api_type || !call.api_name) throw mistake("a call has an api_type and an api_name");
    const names = settings.jsApiList;
    if (typeof settings.signature !== "function" && isUsed)
      throw mistake("this signature was for one call, which was made: give config another, or a function");
    if (names.length && !names.includes(call.api_name) && !names.includes(call.api_type + "/" + call.api_name))
      throw mistake(call.api_name + " is not in jsApiList");
    isUsed = true;
  }

  function failed(answer) {
    const inside = answer.response && answer.response.error; // the upstream's own
    return !["0000", "2000"].includes(answer.error_code) || Boolean(inside);
  }

  /*
   * With a callback: it gets the answer, whatever its error_code. Without one: a Promise of the answer, rejected with an
   * ObApiError (its code and answer) for a failure. A mistake in the page itself is a TypeError, either way.
   */
  function exec(call, callback) {
    if (callback) {
      check(call);
      answerTo(call).then(callback);
      return undefined;
    }
    return (async () => {
      check(call);
      const answer = await answerTo(call);
      if (failed(answer)) throw new ObApiError(answer);
      return answer;
    })();
  }

  window.obAPI = Object.freeze({ config, exec, Error: ObApiError });
})();
