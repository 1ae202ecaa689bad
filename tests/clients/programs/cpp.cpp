#include <curl/curl.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

static size_t append(char *data, size_t size, size_t count, void *body) {
    static_cast<std::string *>(body)->append(data, size * count);
    return size * count;
}

int main(int count, char **argv) {
    if (count != 8) return 2;
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
    auto escaped = [&](const char *text) {
        std::unique_ptr<char, decltype(&curl_free)> result(curl_easy_escape(curl.get(), text, 0), curl_free);
        return std::string(result.get());
    };
    std::string url = std::string(argv[1]) + "?key=" + escaped(argv[2]) + "&secret=" + escaped(argv[3]) +
                      "&method=" + escaped(argv[4]) + "&_o_args=" + escaped(argv[5]) +
                      "&result_type=" + escaped(argv[6]) + "&lang=" + escaped(argv[7]);
    std::string body;
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
    if (CURLcode result = curl_easy_perform(curl.get())) throw std::runtime_error(curl_easy_strerror(result));
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    bool is_json = std::string(argv[6]).rfind("json", 0) == 0;
    std::cout << (is_json ? nlohmann::json::parse(body).dump() : body) << "\n" << status << "\n";
}
