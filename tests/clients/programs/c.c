#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static char *escaped(CURL *curl, const char *text) {
    char *result = curl_easy_escape(curl, text, 0);
    if (!result) abort();
    return result; /* to be freed by curl_free; this program ends before that matters */
}

int main(int count, char **argv) {
    if (count != 8) return 2;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    if (!curl) return 1;
    const char *form = "%s?key=%s&secret=%s&method=%s&_o_args=%s&result_type=%s&lang=%s";
    static char url[65536];
    int length = snprintf(url, sizeof url, form, argv[1], escaped(curl, argv[2]), escaped(curl, argv[3]),
                          escaped(curl, argv[4]), escaped(curl, argv[5]), argv[6], argv[7]);
    if (length < 0 || (size_t)length >= sizeof url) return 1;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    CURLcode result = curl_easy_perform(curl); /* writes the body to standard output */
    if (result != CURLE_OK) {
        fprintf(stderr, "%s\n", curl_easy_strerror(result));
        return 1;
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    printf("\n%ld\n", status);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return 0;
}
