#import <Foundation/Foundation.h>

static NSString *escaped(NSString *text) {
    NSCharacterSet *plain = [NSCharacterSet characterSetWithCharactersInString:
        @"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"];
    return [text stringByAddingPercentEncodingWithAllowedCharacters: plain];
}

int main(int count, char **argv) {
    if (count != 8) return 2;
    NSAutoreleasePool *pool = [NSAutoreleasePool new];
    const char *names[] = {"key", "secret", "method", "_o_args", "result_type", "lang"};
    NSMutableArray *pairs = [NSMutableArray array];
    for (int i = 0; i < 6; i++)
        [pairs addObject: [NSString stringWithFormat: @"%s=%@", names[i],
                           escaped([NSString stringWithUTF8String: argv[i + 2]])]];
    NSString *address = [NSString stringWithFormat: @"%s?%@", argv[1], [pairs componentsJoinedByString: @"&"]];
    NSURLRequest *request = [NSURLRequest requestWithURL: [NSURL URLWithString: address]
                                             cachePolicy: NSURLRequestReloadIgnoringCacheData
                                         timeoutInterval: 60];
    NSHTTPURLResponse *answer = nil;
    NSError *error = nil;
    NSData *body = [NSURLConnection sendSynchronousRequest: request returningResponse: &answer error: &error];
    if (body == nil) return 1;
    if (strncmp(argv[6], "json", 4) == 0) {
        id value = [NSJSONSerialization JSONObjectWithData: body options: 0 error: &error];
        if (value == nil) return 1;
        body = [NSJSONSerialization dataWithJSONObject: value options: 0 error: &error];
    }
    fwrite([body bytes], 1, [body length], stdout);
    printf("\n%ld\n", (long)[answer statusCode]);
    [pool release];
    return 0;
}
