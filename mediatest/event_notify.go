package mediatest

import (
	"cmp"
	"strings"
)

var notifyOperationsVOD = map[string]operation{
	"SetMessageCallback":    setMessageCallback,
	"GetMessageCallback":    getMessageCallback,
	"DeleteMessageCallback": deleteMessageCallback,
}

var notifyOperationsICE = map[string]operation{
	"SetEventCallback": setEventCallback,
	"GetEventCallback": getEventCallback,
}

func setMessageCallback(c *call) (fields, error) { return fields{}, c.setCallback() }

func setEventCallback(c *call) (fields, error) { return fields{"Success": true}, c.setCallback() }

// setCallback keeps the setting that says where events go.
func (c *call) setCallback() error {
	switch kind := strings.ToUpper(c.get("CallbackType")); {
	case kind == "HTTP" && c.get("CallbackURL") == "":
		return missing("CallbackURL")
	case kind == "MNS" && c.get("MnsQueueName") == "" && c.get("CallbackQueueName") == "":
		return missing("MnsQueueName")
	}
	if c.get("AuthSwitch") == "on" && c.get("AuthKey") == "" && c.setting("Callback")["AuthKey"] == "" {
		return missing("AuthKey")
	}
	c.set("Callback")
	if name := cmp.Or(c.get("MnsQueueName"), c.get("CallbackQueueName")); name != "" && strings.EqualFold(c.get("CallbackType"), "MNS") {
		c.srv.queue(name)
	}
	return nil
}

func getMessageCallback(c *call) (fields, error) {
	v := c.setting("Callback")
	if len(v) == 0 {
		return nil, refused(404, "MessageCallback.NotFound", "The message callback is not set.")
	}
	f := fields{"AppId": "app-1000000"}
	for name, value := range v {
		f[name] = value
	}
	return fields{"MessageCallback": f}, nil
}

func deleteMessageCallback(c *call) (fields, error) {
	delete(c.things(&family{service: c.service, kind: "Callback"}), "it")
	return fields{}, nil
}

func getEventCallback(c *call) (fields, error) {
	f := fields{}
	for name, value := range c.setting("Callback") {
		f[name] = value
	}
	return f, nil
}
