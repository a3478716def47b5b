package vlenstest

// DemoPeople is how many people DemoScenario is made for.
const DemoPeople = 200

// DemoScenario is a tenant of DemoPeople with a good number of awkward users:
// every kind of trouble an archiver meets with data, and none that would slow
// a demonstration down. Expected says which error codes the archiver must know.
func DemoScenario() Scenario {
	return Scenario{
		Users: map[string]Rules{
			"u-000007": {Listing: "empty"},
			"u-000011": {User: "unknown"},
			"u-000012": {User: "unknown", Errors: "abp", Message: "arabic", Row: "no_email"},
			"u-000019": {Images: map[Kind]string{Face2: "absent"}},
			"u-000023": {Images: map[Kind]string{Face1: "absent", Face2: "absent", Face3: "absent"}, Missing: "absent"},
			"u-000031": {Images: map[Kind]string{IDBack: "truncated"}},
			"u-000037": {Images: map[Kind]string{IDFront: "jpeg_named_png"}},
			"u-000041": {Images: map[Kind]string{IDFront: "png_named_jpg"}},
			"u-000043": {Image: "png"},
			"u-000047": {Images: map[Kind]string{Liveness: "gone"}},
			"u-000053": {Images: map[Kind]string{Face3: "not_image"}},
			"u-000059": {Images: map[Kind]string{Face1: "empty"}},
			"u-000061": {Faults: map[Endpoint]string{Image: "error"}},
			"u-000067": {Faults: map[Endpoint]string{Image: "error once"}},
			"u-000071": {Faults: map[Endpoint]string{Image: "reset once"}},
			"u-000073": {References: "absolute_urls"},
			"u-000079": {References: "relative_urls"},
			"u-000083": {References: "foreign_urls"},
			"u-000089": {References: "names"},
			"u-000097": {References: "names", Row: "no_transaction"},
			"u-000101": {References: "transaction_pascal", Row: "upper_transaction"},
			"u-000103": {Encoding: "data_uri"},
			"u-000107": {Encoding: "wrapped", ContentType: "text_plain"},
			"u-000109": {Encoding: "escaped", SuccessCode: "null"},
			"u-000113": {Row: "no_phone"},
			"u-000127": {Row: "no_identifier"},
			"u-000131": {Verification: 2},
			"u-000137": {PhoneOf: "u-000136"},
			"u-000139": {Images: map[Kind]string{IDFront: "large"}},
		},
	}
}
