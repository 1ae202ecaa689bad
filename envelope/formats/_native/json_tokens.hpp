// Scalars in JSON, as orjson writes them, and what stands between documents. Each function is false where there is no
// room.
#pragma once

#include "buffer.hpp"
#include "digits.hpp"
#include "json_float.hpp"

namespace envelope::json {

inline bool put_null(Buffer& out) { return put_literal(out, "null"); }

inline bool put_bool(Buffer& out, bool value) { return value ? put_literal(out, "true") : put_literal(out, "false"); }

inline bool put_int(Buffer& out, long long number) {
  char* const at = out.room(kDigits);
  if (at == nullptr) return false;
  out.advance(put_digits(at, number));
  return true;
}

inline bool put_double(Buffer& out, double number) {
  char* const at = out.room(kFloatRoom);
  if (at == nullptr) return false;
  out.advance(put_float(at, number));
  return true;
}

// What ends a line: no JSON document of ours holds it.
inline bool put_line_end(Buffer& out) { return put_literal(out, "\n"); }

}  // namespace envelope::json
