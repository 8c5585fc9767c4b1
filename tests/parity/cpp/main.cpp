// SPDX-License-Identifier: Apache-2.0
//
// Owns the command line of the C++ runner and the file that it writes.
// parity_cpp --scenarios FOLDER --mode MODE --out FILE [--only NAME[,NAME...]]
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>

#include "runner.hpp"

namespace martlet::parity {
namespace {

struct Arguments {
  std::string scenarios;
  std::string mode;
  std::string out;
  std::string only;
};

json::object played(const std::filesystem::path& path, const std::string& mode) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const json::value scenario = json::parse(text);
  json::object line = {{"scenario", path.stem().string()}};
  const json::value* const not_in = scenario.as_object().if_contains("not_in");
  if (not_in != nullptr && not_in->as_object().contains(mode)) {
    line["skipped"] = not_in->at(mode);
    return line;
  }
  Runner runner(mode == "in_process");
  json::array transcript;
  for (const json::value& step : scenario.at("steps").as_array()) {
    transcript.push_back(runner.give(step.as_object()));
  }
  line["transcript"] = std::move(transcript);
  return line;
}

int run(const Arguments& arguments) {
  std::set<std::string> only;
  std::istringstream names(arguments.only);
  for (std::string name; std::getline(names, name, ',');) only.insert(name);
  std::set<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(arguments.scenarios)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != ".json") continue;
    if (only.empty() || only.count(path.stem().string()) > 0) paths.insert(path);
  }
  std::ofstream out(arguments.out);
  for (const std::filesystem::path& path : paths) {
    out << json::serialize(played(path, arguments.mode)) << std::endl;
  }
  return out.good() ? 0 : 1;
}

}  // namespace
}  // namespace martlet::parity

int main(int argc, char** argv) {
  martlet::parity::Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--scenarios") arguments.scenarios = argv[i + 1];
    if (name == "--mode") arguments.mode = argv[i + 1];
    if (name == "--out") arguments.out = argv[i + 1];
    if (name == "--only") arguments.only = argv[i + 1];
  }
  if (arguments.scenarios.empty() || arguments.mode.empty() || arguments.out.empty()) {
    std::cerr << "parity_cpp --scenarios FOLDER --mode MODE --out FILE [--only NAMES]\n";
    return 2;
  }
  return martlet::parity::run(arguments);
}
