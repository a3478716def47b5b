package vlenstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// answer is a reply before it is sent. The body is in parts so that an image
// kept in memory goes out without a copy.
type answer struct {
	status      int
	contentType string
	retryAfter  string
	location    string
	parts       [][]byte
}

// object is a JSON object with its keys in order.
type object []struct {
	key   string
	value any
}

// MarshalJSON writes the keys in order.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, field := range o {
		value, err := json.Marshal(field.value)
		if err != nil {
			return nil, fmt.Errorf("encode field %q: %w", field.key, err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:%s", field.key, value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// json is an answer with a JSON body.
func (r *request) json(status int, body object) answer {
	// The encoder's own escaping of <, > and & would hide from a client that
	// URLs arrive as they are.
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic(err) // bodies are made of strings, numbers and objects
	}
	return answer{status: status, contentType: r.contentType(), parts: [][]byte{out.Bytes()}}
}

func (r *request) contentType() string {
	if r.rules.ContentType == "text_plain" {
		return "text/plain; charset=utf-8"
	}
	return "application/json; charset=utf-8"
}

// success wraps data in the Vlens envelope.
func (r *request) success(data any) answer {
	body := object{{"data", data}}
	switch r.successCode() {
	case "null":
		body = append(body, object{{"error_code", nil}}...)
	case "zero":
		body = append(body, object{{"error_code", 0}}...)
	}
	return r.json(http.StatusOK, append(body, object{{"error_message", nil}, {"error_descriptions", nil}}...))
}

// successCode resolves "documented": what the vendor's sample of the endpoint
// shows.
func (r *request) successCode() string {
	if said := word(r.rules.SuccessCode, "documented"); said != "documented" {
		return said
	}
	switch r.endpoint {
	case Login:
		return "absent"
	case Image:
		return "zero"
	default:
		return "null"
	}
}
