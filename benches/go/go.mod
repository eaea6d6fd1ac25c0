module github.com/symphony-datafeed/symphony-datafeed/benches/go

go 1.24

require github.com/symphony-datafeed/symphony-datafeed/bindings/go v0.0.0

replace github.com/symphony-datafeed/symphony-datafeed/bindings/go => ../../bindings/go
