package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"
)

type texts struct {
	ErrorCode string `xml:"error_code" json:"error_code"`
	Error     string `xml:"error" json:"error"`
	Reason    string `xml:"reason" json:"reason"`
	Text      string `xml:"response>choices>item>text" json:"text"`
	Message   string `xml:"response>error>message" json:"-"`
}

func main() {
	query := url.Values{}
	for i, name := range []string{"key", "secret", "method", "_o_args", "result_type", "lang"} {
		query.Set(name, os.Args[i+2])
	}
	client := http.Client{Timeout: time.Minute}
	answer, err := client.Get(os.Args[1] + "?" + query.Encode())
	if err != nil {
		log.Fatal("the call failed") // err has the address, and so the secret
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	switch query.Get("result_type") {
	case "json", "jsonu":
		var value any
		err = json.Unmarshal(body, &value)
		body, _ = json.Marshal(value)
	case "xml":
		var value texts
		err = xml.Unmarshal(body, &value)
		value.Text += value.Message
		body, _ = json.Marshal(value)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n%d\n", body, answer.StatusCode)
}
