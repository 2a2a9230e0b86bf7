package mediatest

import "time"

// savedQueue is a queue in a state.
type savedQueue struct {
	Settings QueueSettings
	Seq      int
	Messages []savedMessage
}

type savedMessage struct {
	QueueMessage
	First   time.Time
	Receipt string
}

// savedQueues takes the queues. The caller holds mu.
func (s *Server) savedQueues() map[string]savedQueue {
	all := map[string]savedQueue{}
	for name, q := range s.queues {
		saved := savedQueue{Settings: q.settings, Seq: q.seq}
		for _, m := range q.messages {
			saved.Messages = append(saved.Messages, savedMessage{m.QueueMessage, m.first, m.receipt})
		}
		all[name] = saved
	}
	return all
}

// buildQueues makes the queues of a state.
func buildQueues(saved map[string]savedQueue) map[string]*queue {
	all := map[string]*queue{}
	for name, q := range saved {
		if !q.Settings.valid() {
			q.Settings.VisibilityTimeout = defaultVisibility
		}
		made := &queue{settings: q.Settings, seq: q.Seq}
		for _, m := range q.Messages[max(len(q.Messages)-maxQueued, 0):] {
			made.messages = append(made.messages, &queueMessage{m.QueueMessage, m.First, m.Receipt})
		}
		all[name] = made
	}
	return all
}
