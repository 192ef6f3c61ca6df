"""What a camera on a village road shows, by day and by night, well and ill: drawn, with a seed that replays."""
