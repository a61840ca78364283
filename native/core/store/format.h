// Which formats there are, and how they are told apart and named.
#ifndef HOLDFAST_CORE_STORE_FORMAT_H
#define HOLDFAST_CORE_STORE_FORMAT_H

#include <string>

#include "core/layout.h"

namespace holdfast::core {

struct Format {
  uint32_t version;
  uint64_t signature;  // see layout_signature(); 0 where neither word size nor C library matters
  bool operator==(const Format& other) const {
    return version == other.version && signature == other.signature;
  }
};

inline Format format_of(const Header& header) { return {header.version, header.signature}; }

// The format in which this program reads and writes files of that kind.
inline Format own_format(Kind kind) {
  if (kind == Kind::registry) return {kRegistryFormat, 0};
  return {kFormatVersion, layout_signature()};
}

// For people: the version, and who can share it.
std::string to_text(const Format& format);

}  // namespace holdfast::core

#endif
