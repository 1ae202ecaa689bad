using System;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Web.Script.Serialization;
using System.Xml.Linq;

static class Program
{
    static void Main(string[] given)
    {
        string[] names = { "key", "secret", "method", "_o_args", "result_type", "lang" };
        var pairs = names.Select((name, i) => name + "=" + Uri.EscapeDataString(given[i + 1]));
        var client = new HttpClient { Timeout = TimeSpan.FromMinutes(1) };
        var answer = client.GetAsync(given[0] + "?" + string.Join("&", pairs)).Result;
        var text = Encoding.UTF8.GetString(answer.Content.ReadAsByteArrayAsync().Result);

        var json = new JavaScriptSerializer();
        if (given[5].StartsWith("json"))
        {
            text = json.Serialize(json.DeserializeObject(text));
        }
        else if (given[5] == "xml")
        {
            var root = XDocument.Parse(text).Root;
            var said = root.Element("response").Descendants().FirstOrDefault(e => e.Name == "text" || e.Name == "message");
            text = json.Serialize(new
            {
                error_code = root.Element("error_code").Value,
                error = root.Element("error").Value,
                reason = root.Element("reason").Value,
                text = said == null ? "" : said.Value,
            });
        }
        Console.OutputEncoding = new UTF8Encoding(false);
        Console.WriteLine(text);
        Console.WriteLine((int)answer.StatusCode);
    }
}
