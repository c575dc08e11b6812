// One loadgen run without Python: cm4bench_inference SETTINGS PROGRESS_FD. Started by harness/cpp/handover.py.
// Exit codes: 0 the test ran, 1 a diagnosed failure (see child_report.json).
#include <ATen/Parallel.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <numeric>

#include "loadgen.h"
#include "model.h"
#include "progress.h"
#include "samples.h"
#include "settings.h"
#include "sut.h"

namespace cm4bench {
namespace {

std::string ExecutionJson(const Model& model) {
  return "{\"used\":" + Quoted(model.device()) + ",\"executed\":" + Quoted(model.how()) +
         ",\"precision\":" + Quoted(model.precision()) +
         ",\"residency\":" + Quoted(model.target().device.is_cuda() ? "device" : "host") +
         ",\"threads\":" + std::to_string(at::get_num_threads()) + "}";
}

// Whole batches first, then the odd sizes that occur too: the executor specialises on shapes.
void WarmUp(Model& model, Samples& samples, size_t batch_size, size_t rounds) {
  std::vector<mlperf::QuerySampleIndex> staged(std::min(batch_size, samples.TotalSampleCount()));
  std::iota(staged.begin(), staged.end(), 0);
  samples.LoadSamplesToRam(staged);
  std::vector<size_t> sizes(std::max<size_t>(rounds, 2), batch_size);
  sizes.insert(sizes.end(), {std::max<size_t>(1, batch_size / 2), 1, 1});
  for (const size_t size : sizes) {
    std::vector<size_t> indices(size);
    for (size_t k = 0; k < size; ++k) indices[k] = k % staged.size();
    model.Infer(samples.Batch(indices), static_cast<int64_t>(size));
  }
  samples.UnloadSamplesFromRam(staged);
}

std::unique_ptr<Sut> SutFor(const Settings& settings, Model& model, Samples& samples, Counters& counters, const OnError& die) {
  const auto batch_size = static_cast<size_t>(settings.Number("batch_size"));
  const auto workers = static_cast<size_t>(settings.Number("workers"));
  const bool queued = settings.Text("scenario") == "Server" || (settings.Text("scenario") == "Offline" && workers > 1);
  if (!queued) return std::make_unique<InlineSut>(model, samples, counters, batch_size, die);
  return std::make_unique<QueuedSut>(model, samples, counters, batch_size, die, workers);
}

void Measure(Sut& sut, Samples& samples, const Settings& settings) {
  const mlperf::TestSettings test = TestSettingsOf(settings);
  mlperf::LogSettings logs;
  logs.enable_trace = false;
  logs.log_output.outdir = settings.Text("output_dir");
  mlperf::StartTest(&sut, &samples, test, logs, settings.Text("audit_config"));  // empty: none, not even one in the current folder
}

void Run(const Settings& settings, Counters& counters, Heartbeat& heartbeat, Report& report, const OnError& die) {
  const double started = Seconds();
  if (const int64_t threads = settings.Number("threads")) at::set_num_threads(static_cast<int>(threads));
  Model model(settings);
  Samples samples(settings, model.target());
  report.load_s = Seconds() - started;
  heartbeat.Enter("warm-up");
  WarmUp(model, samples, settings.Number("batch_size"), settings.Number("warmup_batches"));
  report.warmup_s = Seconds() - started - report.load_s;
  report.execution = ExecutionJson(model);
  const std::unique_ptr<Sut> sut = SutFor(settings, model, samples, counters, die);
  heartbeat.Enter("loadgen");
  const double wall = Seconds(), cpu = CpuSeconds();
  Measure(*sut, samples, settings);
  report.loadgen_s = Seconds() - wall;
  report.cpu_s = CpuSeconds() - cpu;
}

}  // namespace
}  // namespace cm4bench

int main(int count, char** arguments) {
  signal(SIGUSR1, SIG_IGN);  // the watcher asks Python for its stacks with it
  signal(SIGPIPE, SIG_IGN);
  if (count != 3) {
    std::fprintf(stderr, "usage: %s SETTINGS PROGRESS_FD\n", arguments[0]);
    return 2;
  }
  using namespace cm4bench;
  Counters counters;
  Report report;
  try {
    const Settings settings = Settings::Read(arguments[1]);
    // loadgen cannot be told to stop, so a failure while answering ends the process at once.
    const OnError die = [&](const std::string& cause) {
      std::fprintf(stderr, "%s\n", cause.c_str());
      report.Write(settings, counters, cause.substr(0, cause.find('\n')));
      _exit(1);
    };
    Heartbeat heartbeat(std::stoi(arguments[2]), counters);
    try {
      Run(settings, counters, heartbeat, report, die);
    } catch (const std::exception& error) {
      die(error.what());
    }
    report.Write(settings, counters, "");
    heartbeat.Enter("done");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
