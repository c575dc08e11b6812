// The run as the Python side prepared it: a file of `key=value` lines (harness/cpp/handover.py).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "test_settings.h"

namespace cm4bench {

// One input of the model: a file of raw samples, one after the other.
struct Column {
  std::string path;
  std::string dtype;  // numpy's name
  std::vector<int64_t> shape;  // of one sample
};

struct Settings {
  std::map<std::string, std::string> values;
  std::vector<Column> columns;

  // Throws std::runtime_error naming the file or the line.
  static Settings Read(const std::string& path);
  const std::string& Text(const std::string& key) const;
  int64_t Number(const std::string& key) const;
  bool Flag(const std::string& key) const { return Number(key) != 0; }
};

// loadgen's settings: its own mlperf.conf, then user.conf, then the attributes of the run. Once per process.
mlperf::TestSettings TestSettingsOf(const Settings& settings);

}  // namespace cm4bench
