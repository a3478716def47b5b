package vlenstest

import (
	"net/http"
	"strconv"
	"time"
)

// Error codes of this tenant. The vendor publishes none for these cases, so
// they are invented, outside the ranges it uses; 4003 and 5000 are the
// vendor's.
const (
	CodeUserNotFound        = 9001
	CodeTransactionNotFound = 9002
	CodeImageNotFound       = 9003
	CodeTransactionMissing  = 9004
	CodeThrottled           = 4003
	CodeUnspecified         = 5000
)

// failure is one way to refuse. Some keep their status whatever the rules say
// about errors: refused credentials, because the vendor's own apps act on a
// 401, and faults, because they were asked for by that status.
type failure struct {
	status  int
	code    int
	keeps   bool
	english string
	arabic  string
}

var (
	failPath        = failure{404, 404, false, "No such resource.", "المورد غير موجود."}
	failBody        = failure{400, 400, false, "Your request is not valid.", "الطلب غير صالح."}
	failKey         = failure{401, 401, true, "The API key is not valid.", "مفتاح الواجهة غير صالح."}
	failBearer      = failure{401, 401, true, "The access token is not valid.", "رمز الدخول غير صالح."}
	failLogin       = failure{401, 401, true, "Invalid user name or password.", "اسم المستخدم أو كلمة المرور غير صحيحة."}
	failRefresh     = failure{401, 401, true, "The refresh token is not valid.", "رمز التجديد غير صالح."}
	failPermission  = failure{403, 403, true, "Required permissions are not granted.", "الصلاحيات المطلوبة غير ممنوحة."}
	failUser        = failure{404, CodeUserNotFound, false, "User not found.", "المستخدم غير موجود."}
	failTransaction = failure{404, CodeTransactionNotFound, false, "Transaction not found.", "المعاملة غير موجودة."}
	failImage       = failure{404, CodeImageNotFound, false, "Image not found.", "الصورة غير موجودة."}
	failNoID        = failure{400, CodeTransactionMissing, false, "TransactionId is required.", "رقم المعاملة مطلوب."}
	failUnspecified = failure{500, CodeUnspecified, true, "Something went wrong, contact support.", "حدث خطأ، يرجى الاتصال بالدعم."}
	failThrottled   = failure{429, CodeThrottled, true, "Number of trials exceeded, try later.", "تم تجاوز عدد المحاولات، حاول لاحقا."}
)

// withStatus is the failure with another status, unless that is 0.
func (f failure) withStatus(status int) failure {
	if status != 0 {
		f.status = status
	}
	return f
}

// refuse is the answer to a request that fails, in the shape the rules ask
// for.
func (r *request) refuse(f failure) answer {
	status := f.status
	if !f.keeps {
		switch r.rules.Errors {
		case "ok":
			status = http.StatusOK
		case "server_error", "abp":
			status = http.StatusInternalServerError
		}
	}
	message := f.english
	if r.rules.Message == "arabic" {
		message = f.arabic
	}
	if r.rules.Errors == "abp" {
		return r.json(status, object{
			{"result", nil},
			{"targetUrl", nil},
			{"success", false},
			{"error", object{
				{"code", f.code},
				{"message", message},
				{"details", nil},
				{"validationErrors", nil},
			}},
			{"unAuthorizedRequest", status == http.StatusUnauthorized || status == http.StatusForbidden},
			{"__abp", true},
		})
	}
	return r.json(status, object{
		{"data", nil},
		{"error_code", f.code},
		{"error_message", message},
		{"error_descriptions", r.descriptions(message)},
	})
}

func (r *request) descriptions(message string) any {
	switch r.rules.Descriptions {
	case "array":
		return []object{{{"field", "request"}, {"message", message}}}
	case "object":
		return object{{"request", []string{message}}}
	default:
		return nil
	}
}

// throttled is the reply to a request over the quota; there is room again
// after wait.
func (r *request) throttled(wait time.Duration) answer {
	if r.scenario.Quota.RetryAfter > 0 {
		wait = r.scenario.Quota.RetryAfter
	}
	// Both forms of Retry-After count whole seconds (RFC 9110, 10.2.3), and
	// the date is cut to its second: one more keeps it from being too early.
	seconds := int((wait + time.Second - 1) / time.Second)
	reply := word(r.scenario.Quota.Reply, "429")
	switch reply {
	case "503":
		return answer{status: http.StatusServiceUnavailable}
	case "4003":
		return r.refuse(failThrottled.withStatus(http.StatusOK))
	}
	limited := r.refuse(failThrottled)
	switch reply {
	case "429_seconds":
		limited.retryAfter = strconv.Itoa(seconds)
	case "429_date":
		limited.retryAfter = r.arrived.Add(time.Duration(seconds+1) * time.Second).UTC().Format(http.TimeFormat)
	}
	return limited
}
