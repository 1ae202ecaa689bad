import java.io.ByteArrayInputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathFactory;
import org.w3c.dom.Document;

import static java.nio.charset.StandardCharsets.UTF_8;

public class Java {
    public static void main(String[] given) throws Exception {
        String[] names = {"key", "secret", "method", "_o_args", "result_type", "lang"};
        StringBuilder query = new StringBuilder();
        for (int i = 0; i < names.length; i++)
            query.append(i == 0 ? '?' : '&').append(names[i]).append('=').append(URLEncoder.encode(given[i + 1], UTF_8));
        HttpRequest request = HttpRequest.newBuilder(URI.create(given[0] + query)).timeout(Duration.ofMinutes(1)).build();
        // By default it asks for HTTP/2, which a gateway without a proxy before it does not speak.
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpResponse<byte[]> answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());

        PrintStream out = new PrintStream(System.out, true, UTF_8);
        if (given[5].equals("xml")) {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            Document document = factory.newDocumentBuilder().parse(new ByteArrayInputStream(answer.body()));
            XPath path = XPathFactory.newInstance().newXPath();
            String text = path.evaluate("/root/response/choices/item/text | /root/response/error/message", document);
            out.printf("{\"error_code\": \"%s\", \"error\": \"%s\", \"reason\": \"%s\", \"text\": \"%s\"}%n",
                    path.evaluate("/root/error_code", document), path.evaluate("/root/error", document),
                    path.evaluate("/root/reason", document), text.replace("\\", "\\\\").replace("\"", "\\\""));
        } else {
            out.println(new String(answer.body(), UTF_8)); // the JDK has no JSON: see Jackson, Gson
        }
        out.println(answer.statusCode());
    }
}
