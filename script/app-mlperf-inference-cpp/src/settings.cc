#include "settings.h"

#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>

namespace cm4bench {
namespace {

using mlperf::TestScenario;
using mlperf::TestSettings;

template <typename T>
std::function<void(TestSettings&, double)> To(T TestSettings::*member) {
  return [member](TestSettings& settings, double value) { settings.*member = static_cast<T>(value); };
}

const std::map<std::string, std::function<void(TestSettings&, double)>>& Attributes() {
  static const std::map<std::string, std::function<void(TestSettings&, double)>> all = {
      {"min_duration_ms", To(&TestSettings::min_duration_ms)},
      {"max_duration_ms", To(&TestSettings::max_duration_ms)},
      {"min_query_count", To(&TestSettings::min_query_count)},
      {"max_query_count", To(&TestSettings::max_query_count)},
      {"sample_concatenate_permutation", To(&TestSettings::sample_concatenate_permutation)},
      {"performance_sample_count_override", To(&TestSettings::performance_sample_count_override)},
      {"offline_expected_qps", To(&TestSettings::offline_expected_qps)},
      {"server_target_qps", To(&TestSettings::server_target_qps)},
      {"server_target_latency_ns", To(&TestSettings::server_target_latency_ns)},
      {"server_target_latency_percentile", To(&TestSettings::server_target_latency_percentile)},
      {"server_coalesce_queries", To(&TestSettings::server_coalesce_queries)},
      {"server_max_async_queries", To(&TestSettings::server_max_async_queries)},
      {"single_stream_expected_latency_ns", To(&TestSettings::single_stream_expected_latency_ns)},
      {"single_stream_target_latency_percentile", To(&TestSettings::single_stream_target_latency_percentile)},
      {"multi_stream_expected_latency_ns", To(&TestSettings::multi_stream_expected_latency_ns)},
      {"multi_stream_target_latency_percentile", To(&TestSettings::multi_stream_target_latency_percentile)},
  };
  return all;
}

TestScenario ScenarioOf(const std::string& name) {
  static const std::map<std::string, TestScenario> all = {{"SingleStream", TestScenario::SingleStream},
                                                          {"MultiStream", TestScenario::MultiStream},
                                                          {"Server", TestScenario::Server},
                                                          {"Offline", TestScenario::Offline}};
  return all.at(name);
}

Column ColumnOf(const std::string& text) {  // path|dtype|3,224,224
  std::stringstream parts(text);
  Column column;
  std::string shape, axis;
  std::getline(parts, column.path, '|');
  std::getline(parts, column.dtype, '|');
  std::getline(parts, shape);
  for (std::stringstream axes(shape); std::getline(axes, axis, ',');) column.shape.push_back(std::stoll(axis));
  return column;
}

}  // namespace

Settings Settings::Read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Settings settings;
  for (std::string line; std::getline(file, line);) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) throw std::runtime_error(path + ": no key=value: " + line);
    const std::string key = line.substr(0, equals), value = line.substr(equals + 1);
    if (key == "column") settings.columns.push_back(ColumnOf(value));
    else settings.values[key] = value;
  }
  return settings;
}

const std::string& Settings::Text(const std::string& key) const {
  const auto found = values.find(key);
  if (found == values.end()) throw std::runtime_error("the run's settings lack " + key);
  return found->second;
}

int64_t Settings::Number(const std::string& key) const { return std::stoll(Text(key)); }

TestSettings TestSettingsOf(const Settings& settings) {
  TestSettings test;
  const std::string& user_conf = settings.Text("user_conf");
  const int code = test.FromConfig(user_conf, settings.Text("benchmark"), settings.Text("scenario"), user_conf.empty() ? 0 : 1);
  if (code != 0) throw std::runtime_error("loadgen refused " + user_conf + " (code " + std::to_string(code) + ")");
  test.scenario = ScenarioOf(settings.Text("scenario"));
  test.mode = settings.Text("mode") == "AccuracyOnly" ? mlperf::TestMode::AccuracyOnly : mlperf::TestMode::PerformanceOnly;
  for (const auto& [key, value] : settings.values) {
    if (key.rfind("test.", 0) != 0) continue;
    const auto attribute = Attributes().find(key.substr(5));
    if (attribute == Attributes().end()) throw std::runtime_error("unknown loadgen setting " + key.substr(5));
    attribute->second(test, std::stod(value));
  }
  return test;
}

}  // namespace cm4bench
