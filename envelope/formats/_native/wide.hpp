// Integers of 128 bits, and words whose first byte is the lowest: where both are there, digits are read and written fast.
#pragma once

#if defined(__SIZEOF_INT128__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ENVELOPE_WIDE_INTEGERS

namespace envelope {

__extension__ typedef unsigned __int128 uint128;

}  // namespace envelope

#endif
