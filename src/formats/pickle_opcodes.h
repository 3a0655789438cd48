#pragma once
/// The opcodes of pickle protocols 2 to 5 that are read, as CPython's pickletools.py names them.

#include <cstddef>
#include <cstdint>

#include "formats/pickle.h"

namespace lazymar::pickle_opcode {

enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyTuple = ')',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
};

/// Opcodes that combine the last few values on the stack into one.
struct Made {
  uint8_t opcode;
  PickleKind kind;
  size_t takes;
};
inline constexpr Made kMade[] = {
    {kNone, PickleKind::kNone, 0},          {kEmptyTuple, PickleKind::kTuple, 0},
    {kTuple1, PickleKind::kTuple, 1},       {kTuple2, PickleKind::kTuple, 2},
    {kTuple3, PickleKind::kTuple, 3},       {kEmptyList, PickleKind::kList, 0},
    {kEmptyDict, PickleKind::kDict, 0},     {kEmptySet, PickleKind::kOpaque, 0},
    {kNewObj, PickleKind::kOpaque, 2},      {kNewObjEx, PickleKind::kOpaque, 3},
    {kStackGlobal, PickleKind::kGlobal, 2}, {kBinPersId, PickleKind::kPersistent, 1},
};

/// Opcodes that are followed by a length and that many bytes.
struct Text {
  uint8_t opcode;
  PickleKind kind;
  size_t length_bytes;
};
inline constexpr Text kTexts[] = {
    {kBinUnicode, PickleKind::kString, 4},     {kShortBinUnicode, PickleKind::kString, 1},
    {kBinUnicode8, PickleKind::kString, 8},    {kBinString, PickleKind::kString, 4},  // Python 2's
    {kShortBinString, PickleKind::kString, 1}, {kBinBytes, PickleKind::kBytes, 4},
    {kShortBinBytes, PickleKind::kBytes, 1},   {kBinBytes8, PickleKind::kBytes, 8},
    {kByteArray8, PickleKind::kBytes, 8},
};

}  // namespace lazymar::pickle_opcode
