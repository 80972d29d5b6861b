"""The methods of Slack's Web API that the sandbox answers, by area."""
