import java.net.URI
import java.net.URLEncoder
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.time.Duration

fun main(given: Array<String>) {
    val names = listOf("key", "secret", "method", "_o_args", "result_type", "lang")
    val query = names.zip(given.drop(1)).joinToString("&") { (name, value) -> name + "=" + URLEncoder.encode(value, "UTF-8") }
    val request = HttpRequest.newBuilder(URI.create(given[0] + "?" + query)).timeout(Duration.ofMinutes(1)).build()
    // By default it asks for HTTP/2, which a gateway without a proxy before it does not speak.
    val client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
    val answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray())
    System.out.write(answer.body()) // kotlinx.serialization reads JSON
    println("\n" + answer.statusCode())
}
